/** The store of idempotency keys did not answer, or refused. */
export class IdempotencyUnavailableError extends Error {
  readonly code = 'IDEMPOTENCY_UNAVAILABLE';
  readonly retryable = true;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the store of idempotency keys does not answer: ${reason}`, options);
    this.name = 'IdempotencyUnavailableError';
  }
}

/** The work under this key is still under way, here or in another process. */
export class IdempotencyKeyInUseError extends Error {
  readonly code = 'IDEMPOTENCY_KEY_IN_USE';
  readonly retryable = true;

  constructor(readonly retryAfterSeconds: number) {
    super('a request with this Idempotency-Key is still being carried out; send it again for its answer');
    this.name = 'IdempotencyKeyInUseError';
  }
}

/** The key was used for a request with another content. */
export class IdempotencyKeyReusedError extends Error {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';

  constructor() {
    super('this Idempotency-Key was used for another request; use a new key for each order');
    this.name = 'IdempotencyKeyReusedError';
  }
}
