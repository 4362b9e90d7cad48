import { accountOf, type Caller } from '../callers/caller.js';

/** A read was not sent, because what is left of the source's quota is kept for others. The message says why. */
export class QuotaReservedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuotaReservedError';
  }
}

/**
 * The error as one of this account alone (`CallerError` of the cache): customers of other accounts who share its fetch
 * make a fetch of their own.
 */
export function ofAccount<E extends Error>(error: E, account: string | undefined): E {
  const concerns = (caller: unknown): boolean => accountOf(caller as Caller | undefined) === account;
  return Object.defineProperty(error, 'concerns', { value: concerns }); // not enumerable: logs print what is
}
