/**
 * The stable codes of the cache's operating errors, listed in `docs/reference/errors.md`; a test keeps both in step.
 */
export type CacheErrorCode =
  | 'CACHE_BUILD_FAILED'
  | 'CACHE_CLOSED'
  | 'CACHE_FETCH_TIMEOUT'
  | 'CACHE_INVALID_KEY'
  | 'CACHE_INVALID_OPTION'
  | 'CACHE_NOT_ACKNOWLEDGED'
  | 'CACHE_OVERLOADED'
  | 'CACHE_STORE_UNAVAILABLE'
  | 'CACHE_STORE_UNSUITABLE'
  | 'CACHE_TERM_OVER'
  | 'CACHE_VALUE_NOT_PLAIN'
  | 'CACHE_VALUE_NOT_SERIALIZABLE'
  | 'CACHE_WAIT_TIMEOUT';

/** An expected failure of the cache. `retryable` says whether the same call may succeed later without a change. */
export class CacheError extends Error {
  constructor(
    readonly code: CacheErrorCode,
    message: string,
    readonly retryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CacheError';
  }
}

/** The store did not answer. Reads fall back to the source; writes reject with `CACHE_NOT_ACKNOWLEDGED` instead. */
export class StoreUnavailableError extends CacheError {
  constructor(message: string, options?: ErrorOptions) {
    super('CACHE_STORE_UNAVAILABLE', message, true, options);
    this.name = 'StoreUnavailableError';
  }
}

/**
 * At least one partition did not confirm, so the old value may still be served. The parts that were carried out stay,
 * and a repeat is harmless.
 */
export class NotAcknowledgedError extends CacheError {
  constructor(operation: string, options?: ErrorOptions) {
    super(
      'CACHE_NOT_ACKNOWLEDGED',
      `${operation} was not acknowledged: the store did not confirm it everywhere; repeat it when the store is back`,
      true,
      options,
    );
    this.name = 'NotAcknowledgedError';
  }
}

/** Another process is the active consumer now. Nothing was written under the old term. */
export class TermOverError extends CacheError {
  constructor(consumer: string) {
    super('CACHE_TERM_OVER', `this process is not the active consumer of ${consumer} any more`, false);
    this.name = 'TermOverError';
  }
}

/** The caller's `waitMs` ran out before the build or the lock that it waited for ended. That build or lock goes on. */
export class WaitTimeoutError extends CacheError {
  constructor(key: string, waitMs: number, state: 'being built' | 'locked' = 'being built') {
    super('CACHE_WAIT_TIMEOUT', `${key} was still ${state} after ${waitMs} ms`, true);
    this.name = 'WaitTimeoutError';
  }
}

/** A build in another process failed. `sourceCode` is the `code` of the error that its fetcher threw, if it had one. */
export class BuildFailedError extends CacheError {
  constructor(
    readonly sourceCode: string | undefined,
    message: string,
  ) {
    super('CACHE_BUILD_FAILED', message, true);
    this.name = 'BuildFailedError';
  }
}

/** A fetch took longer than `fetchTimeoutMs`. Its signal was aborted; a late result is not used. */
export class FetchTimeoutError extends CacheError {
  constructor(key: string, fetchTimeoutMs: number) {
    super('CACHE_FETCH_TIMEOUT', `the fetch of ${key} took longer than ${fetchTimeoutMs} ms`, true);
    this.name = 'FetchTimeoutError';
  }
}
