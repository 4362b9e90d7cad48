/** What became of a nonce: `claimed` by this call, and nobody else's; `known` it was used, or is being used, elsewhere. */
export type Claim = 'claimed' | 'known';

/** Nonces that were used, remembered for all processes of an application, so that a message is taken once. */
export abstract class Nonces {
  /**
   * Guarantees `claimed` to one caller at most, of all processes, until `lifeMs` has passed or the nonce was released.
   * Rejects with `NoncesUnavailableError` while the store does not answer: then it may be claimed all the same.
   */
  abstract claim(nonce: string, lifeMs: number): Promise<Claim>;
  /** From now on it is remembered for this time. Rejects like `claim`. */
  abstract keep(nonce: string, lifeMs: number): Promise<void>;
  /** What it was claimed for did not happen, so it may be claimed again. Rejects like `claim`. */
  abstract release(nonce: string): Promise<void>;
}

/** The store of the nonces did not answer. */
export class NoncesUnavailableError extends Error {
  readonly code = 'NONCES_UNAVAILABLE';
  readonly retryable = true;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the store of used nonces does not answer: ${reason}`, options);
    this.name = 'NoncesUnavailableError';
  }
}
