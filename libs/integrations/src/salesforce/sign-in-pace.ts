import type { BackOffBounds } from './events/back-off.js';
import type { SalesforceError } from './salesforce.errors.js';

/** A token that was rejected before it was so old has not expired: something is wrong with it, or with what was asked. */
const YOUNG_MS = 60_000;
/** Young tokens that are replaced at once: one that was revoked, and one more. */
const FREE_RENEWALS = 2;
/** Also how long everybody waits if, while one request is rejected for reasons of its own, the token really expires. */
const REFUSED: BackOffBounds = { minMs: 1_000, maxMs: 15_000 };
/** A token endpoint that is away, or fails, may be back at once. */
const AWAY: BackOffBounds = { minMs: 200, maxMs: 2_000 };

/**
 * How often a process may sign in. A refused sign-in is not repeated, and a token that was just issued is not replaced, before
 * a pause that doubles from 1 s to 15 s: in the long run four times a minute, whoever asks for it. One that got no answer is
 * repeated after 0.2 to 2 s. Salesforce counts sign-ins, and locks out who makes too many.
 */
export class SignInPace {
  private signedInAt = -Infinity;
  private youngRenewals = 0;
  private failures = 0;
  private failedUntil = -Infinity;
  private failure: SalesforceError | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Why the last sign-in failed, until the next one may be tried. */
  pendingFailure(): SalesforceError | undefined {
    return this.now() < this.failedUntil ? this.failure : undefined;
  }

  failed(error: SalesforceError): void {
    const isRefusal = error.code === 'SALESFORCE_AUTH_FAILED' || error.code === 'SALESFORCE_LIMIT_EXCEEDED';
    this.failure = error;
    this.failedUntil = this.now() + doubled(this.failures, isRefusal ? REFUSED : AWAY);
    this.failures += 1;
  }

  signedIn(): void {
    const now = this.now();
    this.youngRenewals = now - this.signedInAt < YOUNG_MS ? this.youngRenewals + 1 : 0;
    this.signedInAt = now;
    this.failures = 0;
    this.failure = undefined;
    this.failedUntil = -Infinity;
  }

  /** How long the current token, which was rejected, must not be replaced yet. */
  msToRenewal(): number {
    const age = this.now() - this.signedInAt;
    if (age >= YOUNG_MS || this.youngRenewals < FREE_RENEWALS) return 0;
    return Math.max(0, Math.ceil(doubled(this.youngRenewals - FREE_RENEWALS, REFUSED) - age));
  }
}

function doubled(times: number, { minMs, maxMs }: BackOffBounds): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(times, 10));
}
