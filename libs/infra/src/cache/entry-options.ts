/**
 * Seconds that an entry lives, counted from the start of its fetch; or a function that decides from the fetched value.
 * The function is called once, by whoever built the value. Undefined from it means no TTL for this value; 0 or less means
 * that the value is handed out and not stored. It is not asked about `null` where `negativeTtlSeconds` is set.
 */
export type TtlSeconds<T> = number | ((value: T) => number | undefined);

/** An end that hits move: `seconds` from the last one (or nearly: see the strategy `sliding`), `absoluteSeconds` at most. */
export interface SlidingOptions {
  readonly seconds: number;
  /** Seconds from the start of the fetch that no hit moves the end beyond. @default the safety TTL, else none */
  readonly absoluteSeconds?: number;
}

/**
 * For how long after its end a value may be handed out as stale: to callers of `getAllowingStale` and
 * `getOrSetAllowingStale` alone, marked as stale. A build keeps a second copy for the longer of the two.
 */
export interface StaleOptions {
  /** Seconds in which a stale value is answered at once, while one build runs in the background. @default 0: never */
  readonly whileRevalidateSeconds?: number;
  /** Seconds in which a stale value stands in for a fetch that failed, or takes longer than `softTimeoutMs`. @default 0 */
  readonly ifErrorSeconds?: number;
}

/**
 * How entries of one kind are built, kept and waited for: the same for all callers, so a bucket says it once. Each of these
 * is described with what it does not mean in docs/reference/bucket-options.md.
 */
export interface EntryOptions {
  /** Whether `null` is stored like any other value. `undefined` never is. @default true */
  readonly cacheNull?: boolean;
  /** Seconds that `null` lives, if that is sooner than its TTL. Only `null` is negative, not `[]`, `0`, `''` or `false`. @default as any value */
  readonly negativeTtlSeconds?: number;
  /** Part of the TTL, 0 to 0.5, by which the builder shortens it at random. It never lengthens it. @default 0 */
  readonly ttlJitter?: number;
  /** Encrypt the value in the store (AES-256-GCM). @default false */
  readonly sensitive?: boolean;
  /** How long a caller waits for somebody else's build, in milliseconds; then `CACHE_WAIT_TIMEOUT`. @default 30000 */
  readonly waitMs?: number;
  /** How long a dead builder keeps others waiting, in milliseconds. It bounds nothing else. @default 10000 */
  readonly leaseMs?: number;
  /**
   * How long a fetch may take, in milliseconds: then its signal is aborted, and those who wait for it are rejected with
   * `CACHE_FETCH_TIMEOUT`. @default none: a fetch holds its key for five minutes at most, and its caller waits for it
   */
  readonly fetchTimeoutMs?: number;
  /**
   * After so many milliseconds a caller who allows stale values is given one, within `stale.ifErrorSeconds`, while the fetch
   * goes on. It is nothing to those who do not allow them. @default none: they wait like others
   */
  readonly softTimeoutMs?: number;
  /** Keep values beyond their end for callers who allow that. @default none is kept */
  readonly stale?: StaleOptions;
  /**
   * Part of an entry's life, 0.1 to 0.99, after which a hit starts a build in the background and returns at once. Only for
   * entries with a TTL. @default none
   */
  readonly refreshAhead?: number;
}
