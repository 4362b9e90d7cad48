import type { Caller } from '../callers/caller.js';
import { noteCharge } from './charges.js';
import { Limits, payerOf, type Policies, type WorkClass } from './limits.js';
import { RateLimitedError } from './limits.errors.js';

/** The answer of a limiter: whether it gave a point, what is left, and how long until all points are back. */
export interface Taking {
  readonly isGiven: boolean;
  readonly remaining: number;
  readonly resetMs: number;
}

/** Gives points to payers. Never rejects because a store fails. */
export interface Limiter {
  take(payer: string): Taking | Promise<Taking>;
}

/** Limits that ask one limiter for each class of work. */
export abstract class MeteredLimits extends Limits {
  protected constructor(
    private readonly policies: Policies,
    private readonly limiters: Readonly<Record<WorkClass, Limiter>>,
  ) {
    super();
  }

  async charge(work: WorkClass, caller: Caller | undefined): Promise<void> {
    if (caller === undefined) return;
    const payer = payerOf(work, caller);
    const { isGiven, remaining, resetMs } = await this.limiters[work].take(payer);
    const resetSeconds = Math.max(1, Math.ceil(resetMs / 1_000));
    noteCharge({ work, policy: this.policies[work], remaining, resetSeconds });
    if (!isGiven) throw new RateLimitedError(work, resetSeconds, payer);
  }
}
