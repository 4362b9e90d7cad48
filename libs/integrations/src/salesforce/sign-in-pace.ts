import type { SalesforceError } from './salesforce.errors.js';

/** A token that was rejected before it was so old has not expired: something is wrong with it, or with what was asked. */
const YOUNG_MS = 60_000;
/** Young tokens that are replaced at once: one that was revoked, and one more. */
const FREE_RENEWALS = 2;
const PAUSE_MIN_MS = 1_000;
/** Also how long everybody waits if, while one request is rejected for reasons of its own, the token really expires. */
const PAUSE_MAX_MS = 15_000;

/**
 * How often a process may sign in. A refused sign-in is not repeated, and a token that was just issued is not replaced, before
 * a pause that doubles from 1 s to 15 s: in the long run four times a minute, whoever asks for it. Salesforce counts sign-ins
 * (3,600 an hour for each user), and locks out who exceeds that.
 */
export class SignInPace {
  private signedInAt = -Infinity;
  private youngRenewals = 0;
  private refusals = 0;
  private refusedUntil = -Infinity;
  private refusal: SalesforceError | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Why the last sign-in was refused, until the next one may be tried. */
  pendingRefusal(): SalesforceError | undefined {
    return this.now() < this.refusedUntil ? this.refusal : undefined;
  }

  refused(error: SalesforceError): void {
    this.refusal = error;
    this.refusedUntil = this.now() + doubled(this.refusals);
    this.refusals += 1;
  }

  signedIn(): void {
    this.signedInAt = this.now();
    this.refusals = 0;
    this.refusal = undefined;
    this.refusedUntil = -Infinity;
  }

  /** How long the current token, which was rejected, must not be replaced yet; 0 counts as a renewal. */
  msToRenewal(): number {
    const age = this.now() - this.signedInAt;
    if (age >= YOUNG_MS) this.youngRenewals = 0;
    const pauseMs = this.youngRenewals < FREE_RENEWALS ? 0 : doubled(this.youngRenewals - FREE_RENEWALS);
    if (age < pauseMs) return Math.ceil(pauseMs - age);
    this.youngRenewals += 1;
    return 0;
  }
}

function doubled(times: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(times, 10));
}
