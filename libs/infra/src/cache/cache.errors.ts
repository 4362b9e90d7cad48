/** The stable codes of the cache's operating errors. `docs/reference/errors.md` lists them; a test holds both together. */
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

/** The store did not answer. Reads fall back to the source; writes turn it into `CACHE_NOT_ACKNOWLEDGED`. */
export class StoreUnavailableError extends CacheError {
  constructor(message: string, options?: ErrorOptions) {
    super('CACHE_STORE_UNAVAILABLE', message, true, options);
    this.name = 'StoreUnavailableError';
  }
}

/**
 * Nobody may assume that the old value is gone: at least one partition did not confirm. What did run stays, and a repeat
 * is harmless.
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

/** Another process consumes now. What was to be written under the old term was not. */
export class TermOverError extends CacheError {
  constructor(consumer: string) {
    super('CACHE_TERM_OVER', `this process is not the active consumer of ${consumer} any more`, false);
    this.name = 'TermOverError';
  }
}

/** The caller's `waitMs` passed before the build, or the lock, that it waited for ended. That goes on. */
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

/** A fetch took longer than `fetchTimeoutMs`. Its signal was aborted; what it may still bring is not used. */
export class FetchTimeoutError extends CacheError {
  constructor(key: string, fetchTimeoutMs: number) {
    super('CACHE_FETCH_TIMEOUT', `the fetch of ${key} took longer than ${fetchTimeoutMs} ms`, true);
    this.name = 'FetchTimeoutError';
  }
}
