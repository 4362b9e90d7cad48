import { concerning } from '../callers/caller.js';
import { payerOf, type WorkClass } from './limits.js';

/**
 * The caller has used up its points, or as many others of its requests wait for points as a window has. The work was
 * not begun. It concerns every caller who spends the same points. Others who share its fetch make their own, and so
 * does a write of the same payer, whose reads cost no point of `fetch`, and a read, which costs none of `write`.
 */
export class RateLimitedError extends Error {
  readonly code = 'RATE_LIMITED';
  readonly retryable = true;

  /** @param payer the pseudonym whose points are used up */
  constructor(
    readonly policy: WorkClass,
    readonly retryAfterSeconds: number,
    readonly payer: string,
  ) {
    super(`the limit "${policy}" is reached; it is free again in ${retryAfterSeconds} s`);
    this.name = 'RateLimitedError';
    concerning(this, (caller) => {
      if (caller === undefined) return false;
      const isPaid = caller.isWriting ? policy !== 'fetch' : policy !== 'write';
      return isPaid && payerOf(policy, caller) === payer;
    });
  }
}
