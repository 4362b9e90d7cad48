import { accountOf, type Caller, concerning } from '../callers/caller.js';

/** A request was not sent, because what is left of the source's quota is kept for others. The message says why. */
export class QuotaReservedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuotaReservedError';
  }
}

/**
 * The error as one of what the refused caller's account does: customers of other accounts who share its fetch make a
 * fetch of their own, and so does a write of the same account if a read was refused.
 */
export function ofAccount<E extends Error>(error: E, refused: Caller | undefined): E {
  return concerning(
    error,
    (caller) => accountOf(caller) === accountOf(refused) && (!caller?.isWriting || refused?.isWriting === true),
  );
}
