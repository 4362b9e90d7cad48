import type { BackOffBounds } from '../events/back-off.js';
import type { SalesforceError } from '../salesforce.errors.js';

/** A token rejected at a younger age has not expired: the token itself or the request is at fault. */
const YOUNG_MS = 60_000;
/** How many young tokens may be replaced without a pause: one that was revoked, and one more. */
const FREE_RENEWALS = 2;
/**
 * Bounds of the pause after a refusal and between renewals of young tokens. A request that is rejected for its own
 * reasons uses renewals up; if the token is then really revoked, every request fails until the pause is over.
 */
const REFUSED: BackOffBounds = { minMs: 1_000, maxMs: 15_000 };
/** Bounds of the pause after a sign-in without a usable answer: the token endpoint may be back at once. */
const AWAY: BackOffBounds = { minMs: 200, maxMs: 2_000 };

/**
 * Bounds how often a process signs in. After a refused sign-in, and before the third young token in a row is replaced,
 * it requires a pause that doubles from 1 s to 15 s: in the long run four sign-ins a minute, for all callers together.
 * A sign-in without a usable answer may be repeated after 0.2 to 2 s. Salesforce counts sign-ins and locks out clients
 * that make too many.
 */
export class SignInPace {
  private signedInAt = -Infinity;
  private youngRenewals = 0;
  private failures = 0;
  private failedUntil = -Infinity;
  private failure: SalesforceError | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The error of the last sign-in until the next one may be tried; undefined otherwise. */
  pendingFailure(): SalesforceError | undefined {
    return this.now() < this.failedUntil ? this.failure : undefined;
  }

  /** The error of the last sign-in if Salesforce refused its credentials; undefined after any other outcome. */
  get refusal(): SalesforceError | undefined {
    return this.failure?.code === 'SALESFORCE_AUTH_FAILED' ? this.failure : undefined;
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

  /** How long, in ms, the current token must still be kept although it was rejected; 0 if it may be replaced now. */
  msToRenewal(): number {
    const age = this.now() - this.signedInAt;
    if (age >= YOUNG_MS || this.youngRenewals < FREE_RENEWALS) return 0;
    return Math.max(0, Math.ceil(doubled(this.youngRenewals - FREE_RENEWALS, REFUSED) - age));
  }
}

function doubled(times: number, { minMs, maxMs }: BackOffBounds): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(times, 10));
}
