/**
 * Seconds that an entry lives, counted from the start of its fetch, or a function that decides from the fetched value.
 * The builder calls the function once. Undefined from it means no TTL for this value; 0 or less means that callers
 * receive the value and it is not stored. With `negativeTtlSeconds` it is not called for `null`.
 */
export type TtlSeconds<T> = number | ((value: T) => number | undefined);

/** A sliding end: `seconds` after the last hit (or nearly: see the strategy `sliding`), at most `absoluteSeconds`. */
export interface SlidingOptions {
  readonly seconds: number;
  /** Seconds from the start of the fetch; no hit moves the end beyond it. @default the safety TTL, else none */
  readonly absoluteSeconds?: number;
}

/**
 * How long after its end a value may be served as stale, and marked so: only to callers of `getAllowingStale` and
 * `getOrSetAllowingStale`. A build keeps a second copy for the longer of the two.
 */
export interface StaleOptions {
  /** Seconds in which a stale value is returned at once, while one build runs in the background. @default 0: never */
  readonly whileRevalidateSeconds?: number;
  /** Seconds in which a stale value replaces a fetch that failed or takes longer than `softTimeoutMs`. @default 0 */
  readonly ifErrorSeconds?: number;
}

/**
 * How entries of one kind are built, kept and waited for: the same for all callers, so a bucket sets it once.
 * docs/reference/bucket-options.md describes each option, and what it does not mean.
 */
export interface EntryOptions {
  /** Whether `null` is stored like any other value. `undefined` never is. @default true */
  readonly cacheNull?: boolean;
  /**
   * Seconds that `null` lives, if that is less than its TTL. Only `null` is negative, not `[]`, `0`, `''` or `false`.
   * @default as any value
   */
  readonly negativeTtlSeconds?: number;
  /**
   * Maximum part of the TTL, 0 to 0.5, by which the builder shortens it at random. It never lengthens it. @default 0
   */
  readonly ttlJitter?: number;
  /** Encrypt the value in the store (AES-256-GCM). @default false */
  readonly sensitive?: boolean;
  /** How long a caller waits for another's build, in milliseconds; then `CACHE_WAIT_TIMEOUT`. @default 30000 */
  readonly waitMs?: number;
  /** How long a dead builder keeps others waiting, in milliseconds. It bounds nothing else. @default 10000 */
  readonly leaseMs?: number;
  /**
   * Maximum time of a fetch, in milliseconds: then its signal is aborted, and its waiters reject with
   * `CACHE_FETCH_TIMEOUT`. @default none: a fetch holds its key for five minutes at most, and its caller waits for it
   */
  readonly fetchTimeoutMs?: number;
  /**
   * After this many milliseconds a caller that allows stale values receives one, within `stale.ifErrorSeconds`, while
   * the fetch goes on. It does not affect callers that do not allow them. @default none: they wait like others
   */
  readonly softTimeoutMs?: number;
  /** Keep values beyond their end, for callers that allow stale ones. @default none is kept */
  readonly stale?: StaleOptions;
  /**
   * Part of an entry's life, 0.1 to 0.99, after which a hit starts a build in the background and returns at once. Only
   * for entries with a TTL. @default none
   */
  readonly refreshAhead?: number;
}
