/** The result for a nonce: `claimed` by this call alone; `known`: an earlier call has used it, or is using it. */
export type Claim = 'claimed' | 'known';

/** Used nonces, remembered for all processes of an application, so that a message is accepted once. */
export abstract class Nonces {
  /**
   * Guarantees `claimed` to at most one caller across all processes, until `lifeMs` has passed, the nonce is released,
   * or the store has lost it. Rejects with `NoncesUnavailableError` if the store does not answer or refuses; the nonce
   * may then be claimed all the same.
   */
  abstract claim(nonce: string, lifeMs: number): Promise<Claim>;
  /** Remembers the nonce for this time from now on. Rejects like `claim`. */
  abstract keep(nonce: string, lifeMs: number): Promise<void>;
  /** Makes the nonce claimable again, because the work it was claimed for did not happen. Rejects like `claim`. */
  abstract release(nonce: string): Promise<void>;
}

/** The store of the nonces did not answer, or refused. */
export class NoncesUnavailableError extends Error {
  readonly code = 'NONCES_UNAVAILABLE';
  readonly retryable = true;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the store of used nonces does not answer: ${reason}`, options);
    this.name = 'NoncesUnavailableError';
  }
}
