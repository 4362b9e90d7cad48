import { accountOf, type Caller } from '../callers/caller.js';

/** What a customer's work is limited by, each class on its own; also the names of the policies in HTTP headers. */
export const WORK_CLASSES = ['request', 'fetch', 'write', 'stream'] as const;

/**
 * `request`: an authenticated request, also one that a cache answers. `fetch`: a call to a source that a customer's
 * miss causes. `write`: a request that changes something. `stream`: the opening of an event stream.
 */
export type WorkClass = (typeof WORK_CLASSES)[number];

/** At most `points` pieces of work in each window of `windowSeconds`, which begins with its first piece. */
export interface Policy {
  readonly points: number;
  readonly windowSeconds: number;
}

/** The policy of every class of work: none is unlimited. */
export type Policies = Readonly<Record<WorkClass, Policy>>;

/** What a payer has left of a policy, as far as this process knows. */
export interface Standing {
  readonly work: WorkClass;
  readonly policy: Policy;
  readonly remaining: number;
  /** Until the window ends and all points are back. At least 1. */
  readonly resetSeconds: number;
}

/**
 * Limits how much work a customer causes, so that none can spend what belongs to all. `request` is limited in this
 * process alone; the other classes in all processes of the application together.
 */
export abstract class Limits {
  /**
   * Takes one point of the caller, or rejects with `RateLimitedError` if none is left in its window. Without a caller
   * the work is the process' own, and nothing is charged. It never rejects because a store is away, slow or refuses:
   * then this process limits by itself, by its share of the points.
   */
  abstract charge(work: WorkClass, caller: Caller | undefined): Promise<void>;
}

/**
 * The payer of the work, as a pseudonym. Fetches and writes spend what the account is entitled to, however many users,
 * tokens or browsers it has, so its users share them. Requests and streams cost this product alone, so each user has
 * its own, and a runaway browser locks no colleague out. A user whose account is not known pays for everything itself.
 */
export function payerOf(work: WorkClass, caller: Caller): string {
  return work === 'fetch' || work === 'write' ? accountOf(caller) : caller.subject;
}
