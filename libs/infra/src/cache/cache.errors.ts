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

/** The error for an option that cannot be used: `CACHE_INVALID_OPTION`, which no repeat mends. */
export function invalidOption(message: string): CacheError {
  return new CacheError('CACHE_INVALID_OPTION', message, false);
}

/**
 * The store did not answer, or may not be used. `getOrSet` then answers from the source, and `get` as for a miss;
 * writes and invalidations reject with `CACHE_NOT_ACKNOWLEDGED` instead; `status`, `lock` and `scan` reject with this
 * error.
 */
export class StoreUnavailableError extends CacheError {
  constructor(message: string, options?: ErrorOptions) {
    super('CACHE_STORE_UNAVAILABLE', message, true, options);
    this.name = 'StoreUnavailableError';
  }
}

/**
 * At least one partition did not confirm a write or an invalidation, so the old value may still be served. Partitions
 * that carried it out keep it, and a repeat is harmless.
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

/** The term of this process as the active consumer is over: the rejected call has written nothing. */
export class TermOverError extends CacheError {
  constructor(consumer: string) {
    super('CACHE_TERM_OVER', `this process is not the active consumer of ${consumer} any more`, false);
    this.name = 'TermOverError';
  }
}

/**
 * The caller's `waitMs` ran out while it waited: for a lock, or for the build or fetch of another caller, which goes
 * on, or, while the store is away, for a place for its own fetch.
 */
export class WaitTimeoutError extends CacheError {
  constructor(key: string, waitMs: number, state: 'being built' | 'locked' = 'being built') {
    super('CACHE_WAIT_TIMEOUT', `${key} was still ${state} after ${waitMs} ms`, true);
    this.name = 'WaitTimeoutError';
  }
}

/**
 * A build of another process failed, or the build of any process that a `get` with `waitMs` waited for. `sourceCode` is
 * the `code` of the error that the fetcher threw, if it had one.
 */
export class BuildFailedError extends CacheError {
  constructor(
    readonly sourceCode: string | undefined,
    message: string,
  ) {
    super('CACHE_BUILD_FAILED', message, true);
    this.name = 'BuildFailedError';
  }
}

/**
 * An error of a fetcher that is about the caller for whom it fetched, not about the source: a limit that this caller has
 * used up. It reaches the callers whom it concerns. The others that shared the fetch, in any process, begin another.
 */
export interface CallerError extends Error {
  /** Whether it would be the error of this caller, too: what `Callers.current()` returned when the caller read. */
  concerns(caller: unknown): boolean;
}

/** Whether an error of a fetcher, of any class, is about callers. */
export function isCallerError(error: unknown): error is CallerError {
  return typeof (error as Partial<CallerError> | undefined)?.concerns === 'function';
}

/** A fetch took longer than `fetchTimeoutMs`. Its signal was aborted; a late result is not used. */
export class FetchTimeoutError extends CacheError {
  constructor(key: string, fetchTimeoutMs: number) {
    super('CACHE_FETCH_TIMEOUT', `the fetch of ${key} took longer than ${fetchTimeoutMs} ms`, true);
    this.name = 'FetchTimeoutError';
  }
}
