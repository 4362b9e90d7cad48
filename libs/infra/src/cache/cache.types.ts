import type { Dependency } from './dependencies.js';

/** The argument of a fetcher. */
export interface FetchContext {
  /**
   * Names what the value is built from, at any time before the fetcher settles. Name a record when you begin to read
   * it: an invalidation during the fetch then frees the key for another build at once, not only when this build
   * commits.
   */
  readonly dependsOn: (...dependencies: Dependency[]) => void;
  /**
   * Aborted when the cache closes or the fetch takes too long. A caller that stops waiting does not abort it: others
   * may still want the value.
   */
  readonly signal: AbortSignal;
}

/**
 * The call to the source. The cache makes it only after it has taken the start point that judges the value; while the
 * store is away, there is no start point and nothing is stored.
 */
export type Fetcher<T> = (context: FetchContext) => Promise<T>;

/** Tells for whom a read is made, where callers share fetches and may be refused one by one (`CallerError`). */
export interface Callers {
  /** The caller of the present work, compared by identity; undefined: it has none. */
  current(): unknown;
  /** Runs `work` so that it, and what it starts, is done for this caller. */
  run<T>(caller: unknown, work: () => T): T;
  /**
   * The group that the caller belongs to. While the store is away, fetches are made for groups in turn, so that the many
   * of one keep no other waiting. Undefined is a group, too.
   */
  groupOf(caller: unknown): string | undefined;
}

/** Dependencies known before the fetch, or read from the fetched value. */
export type DeclaredDependencies<T> = readonly Dependency[] | ((value: T) => readonly Dependency[]);

/**
 * Seconds that an entry lives, counted from the start of its fetch, or a function that decides from the fetched value.
 * The builder calls the function once. If it returns undefined, the value has no TTL of its own (the safety TTL
 * applies, if there is one); if it returns 0 or less, callers receive the value and it is not stored. With
 * `negativeTtlSeconds` it is not called for `null`.
 */
export type TtlSeconds<T> = number | ((value: T) => number | undefined);

/**
 * A sliding end: between half of `seconds` and `seconds` after the last hit (see the strategy `sliding`), at most
 * `absoluteSeconds` after the start of the fetch.
 */
export interface SlidingOptions {
  readonly seconds: number;
  /**
   * Seconds from the start of the fetch; no hit moves the end beyond it, nor beyond the safety TTL. @default the safety
   * TTL, else none
   */
  readonly absoluteSeconds?: number;
}

/**
 * How long after its end a value may be served as stale, and marked so: only to callers of `getAllowingStale` and
 * `getOrSetAllowingStale`. A build keeps a second copy of its value for the longer of the two times.
 */
export interface StaleOptions {
  /** Seconds in which a stale value is returned at once, while one build runs in the background. @default 0: never */
  readonly whileRevalidateSeconds?: number;
  /** Seconds in which a stale value replaces a fetch that failed or takes longer than `softTimeoutMs`. @default 0 */
  readonly ifErrorSeconds?: number;
}

/**
 * How entries of one kind are built, kept and waited for. A bucket sets these options once for all its callers; a call
 * can override only `waitMs`. docs/reference/bucket-options.md describes each option, and what it does not mean.
 */
export interface EntryOptions {
  /** Whether `null` is stored like any other value. `undefined` never is. @default true */
  readonly cacheNull?: boolean;
  /**
   * Seconds that `null` lives, if that is less than its TTL; a TTL function is not asked. Only `null` is negative, not
   * `[]`, `0`, `''` or `false`. @default as any value
   */
  readonly negativeTtlSeconds?: number;
  /**
   * Maximum part of the TTL, 0 to 0.5, by which the builder shortens it at random. It never lengthens it. @default 0
   */
  readonly ttlJitter?: number;
  /**
   * Encrypt the value in the store (AES-256-GCM). In a bucket, a stored value that is not encrypted for its key counts
   * as absent. @default false
   */
  readonly sensitive?: boolean;
  /**
   * How long a caller waits for others, in milliseconds; then `CACHE_WAIT_TIMEOUT` (see `WaitTimeoutError`).
   * @default that of the cache
   */
  readonly waitMs?: number;
  /**
   * How long a dead builder keeps others waiting, in milliseconds: a live one renews its lease (see `renewLease`). It
   * does not bound the fetch. @default that of the cache
   */
  readonly leaseMs?: number;
  /**
   * Maximum time of a fetch, in milliseconds: then its signal is aborted, and its waiters reject with
   * `CACHE_FETCH_TIMEOUT`, those in other processes with `CACHE_BUILD_FAILED`. @default none: a fetch holds its key for
   * five minutes at most, and its caller waits for it
   */
  readonly fetchTimeoutMs?: number;
  /**
   * After this many milliseconds a caller that allows stale values receives one, within `stale.ifErrorSeconds`, while
   * the fetch goes on. It does not affect callers that do not allow them. @default none: they wait like others
   */
  readonly softTimeoutMs?: number;
  /** Keep values beyond their end, for callers that allow stale ones. @default no value is kept beyond its end */
  readonly stale?: StaleOptions;
  /**
   * Part of an entry's life, 0.1 to 0.99, after which a hit starts a build in the background and returns at once. Only
   * for entries with a TTL. @default none
   */
  readonly refreshAhead?: number;
}

export interface GetOptions {
  /**
   * How long to wait, in milliseconds, while a build or a lock holds the key; then `CACHE_WAIT_TIMEOUT`.
   * @default 0: an entry that is being built is a miss
   */
  readonly waitMs?: number;
}

export interface SetOptions {
  /** Seconds until the entry expires. @default the safety TTL, else none */
  readonly ttlSeconds?: number;
  readonly dependsOn?: readonly Dependency[];
  /** Encrypt the value in the store (AES-256-GCM). @default false */
  readonly sensitive?: boolean;
}

/** Options that one caller may set for its own read. */
export interface CallOptions<T> {
  /** Added to the dependencies that the fetcher names through its context. */
  readonly dependsOn?: DeclaredDependencies<T>;
  /**
   * How long this caller waits for others, in milliseconds; then `CACHE_WAIT_TIMEOUT` (see `WaitTimeoutError`).
   * @default that of the bucket
   */
  readonly waitMs?: number;
  /**
   * Accept an entry only if its fetch began at most this many seconds ago. An older entry is rebuilt for all callers,
   * and this caller waits for that build or receives its error, unless it allows a stale value. An age is never
   * underestimated. Such a read bypasses the L1, which does not know ages. 0: accept only a fetch that begins after the
   * call. @default any age
   */
  readonly maxAgeSeconds?: number;
  /** Receives how this caller is answered, just before the answer. Not called for a call that rejects. */
  readonly onOutcome?: (outcome: ReadOutcome) => void;
}

/**
 * The result of background work. `refreshed`: an entry was built before its end, or while its stale copy was served.
 * `rehydrated`: an entry was rebuilt after an invalidation. `failed`: such a build failed, or a build whose caller had
 * received a stale value.
 */
export type BackgroundEvent = 'refreshed' | 'rehydrated' | 'failed';

/**
 * A change that a value needed so that it could be kept. `folded`: it was built from more than an entry can depend on,
 * so it falls when any record of a table changes. `reshaped`: JSON changes the fetched value, so every caller receives
 * its JSON form.
 */
export type BuildEvent = 'folded' | 'reshaped';

export interface GetOrSetOptions<T> extends EntryOptions, CallOptions<T> {
  /** When the entry expires. @default the safety TTL, else none */
  readonly ttlSeconds?: TtlSeconds<T>;
  /** A sliding end, which hits move, instead of a TTL. @default none */
  readonly sliding?: SlidingOptions;
  /**
   * How long this caller waits for others, in milliseconds; then `CACHE_WAIT_TIMEOUT` (see `WaitTimeoutError`).
   * @default that of the cache
   */
  readonly waitMs?: number;
  /**
   * Renew the lease of the build three times per `leaseMs` during the fetch. Without it, another builder takes the key
   * over from a fetch that lasts longer than `leaseMs`. @default true
   */
  readonly renewLease?: boolean;
  /** Called at most once, if an entry was found that is known to be too old for this call: see `maxAgeSeconds`. */
  readonly onTooOld?: () => void;
  /** Called for each `BuildEvent` of the fetches that this call makes. */
  readonly onBuilt?: (event: BuildEvent) => void;
  /**
   * Called when background work of this call has built a value or failed. A failure passes its error, because this call
   * was answered before, or there is no call to reject.
   */
  readonly onBackground?: (event: BackgroundEvent, error?: unknown) => void;
}

export interface LockOptions {
  /**
   * How long to wait for the holder of the key, in milliseconds; then `CACHE_WAIT_TIMEOUT`.
   * @default that of the cache
   */
  readonly waitMs?: number;
  /**
   * Maximum time of the lock, in milliseconds. It is not renewed: choose it for the work.
   * @default that of the cache
   */
  readonly leaseMs?: number;
}

/**
 * The exclusive right to replace one entry, until it is written, released, or its time is over. It is for one read,
 * change and write. It keeps nobody from reading the entry, nor from `set`, `del` or an invalidation. `set`, `del` and
 * an invalidation of the entry by its key end the lock, and the write then returns false. After an invalidation of
 * something else that the entry depends on, a build may take the lock over.
 */
export interface CacheLock<T> {
  readonly key: string;
  /**
   * The stored value, read after the lock was acquired; null if nothing is stored that can be read, or if `null` is.
   */
  readonly value: T | null;
  /**
   * Stores a value and ends the lock in one step, acknowledged like `set`. False: the lock had been lost, released or
   * used, and nothing changed. Rejects `CACHE_NOT_ACKNOWLEDGED` if the store did not answer: the value may then be
   * stored or not.
   */
  write(value: T, options?: SetOptions): Promise<boolean>;
  /** Ends the lock if it has not ended yet; in an outage, its time ends it. */
  release(): Promise<void>;
}

/** A value, and whether it is valid as far as the cache knows. */
export type MaybeStale<T> =
  | { readonly value: T; readonly isStale: false }
  /**
   * It became stale `staleForMs` milliseconds ago: it expired, a dependency was invalidated, or it reached the caller's
   * maximum age.
   */
  | { readonly value: T; readonly isStale: true; readonly staleForMs: number };

/**
 * How one caller was answered. `hit`: from the L1 or the store. `miss`: its own call fetched. `coalesced`: it shared
 * another caller's build, in any process. `bypass`: the source answered, because the store was away. `stale`: it
 * allowed a stale value and received one.
 */
export type ReadOutcome = 'hit' | 'miss' | 'coalesced' | 'bypass' | 'stale';

/** `pending`: there is no entry, but a build or a lock holds the key. */
export type KeyStatus = 'empty' | 'pending' | 'exists';

/** The effect of an acknowledged invalidation. */
export interface Invalidation {
  /** Live entries that were dropped at once. */
  readonly dropped: number;
  /** The keys of those entries, at most 1,000. */
  readonly keys: readonly string[];
  /**
   * Number of dependencies whose dependants were not all dropped at once, counted in each partition. They have more
   * dependants than one call frees, or are tables or namespaces that once had more than the store indexes (128 in a
   * partition), however few those are now. Reads refuse the rest, which `dropped` does not count, and the sweeper frees
   * it later.
   */
  readonly deferred: number;
}

/**
 * Counters of one bucket. `coalesced` waiters count neither as hits nor as misses; nor do builds that no caller waits
 * for.
 */
export interface CacheBucketMetrics {
  hits: number;
  misses: number;
  coalesced: number;
  bypassed: number;
  errors: number;
  /** Callers that received a stale value, as they had allowed. */
  stale: number;
  /**
   * Callers that found an entry too old: nobody followed the feeds that announce its changes, or the caller had set a
   * bound. Each is counted a second time by how it was answered.
   */
  tooOld: number;
  /**
   * Builds from so many records that the entry depends on all records of a table and falls when any of them changes.
   */
  folded: number;
  /** Fetches of values that JSON changes (a `Date`, `NaN` …): every caller received the JSON form. */
  reshaped: number;
  /** Entries built in the background, before their end or behind a stale answer. */
  refreshes: number;
  /** Entries rebuilt after an invalidation, before a caller asked. */
  rehydrations: number;
  /** Builds that failed while no caller waited for them. */
  backgroundFailures: number;
}

/** How calls of the cache that go through no bucket were answered. */
export type DirectReads = Readonly<Pick<CacheBucketMetrics, 'hits' | 'misses' | 'coalesced' | 'bypassed' | 'stale'>>;

/**
 * Counters of one domain: its buckets, and its invalidations (one per call, or the number of changes that the call
 * gave).
 */
export interface DomainMetrics {
  readonly buckets: Readonly<Record<string, CacheBucketMetrics>>;
  readonly invalidations: number;
  /** Dependencies whose repeated invalidation was acknowledged (`repeatAfterMs`); not counted as invalidations. */
  readonly repeatedInvalidations: number;
  /** Dependencies whose repeat was given up, or refused because too many were waiting. */
  readonly lostRepeats: number;
}

/** A domain whose reads are counted: the face of every `DomainCache`. */
export interface CountedDomain {
  readonly domain: string;
  metrics(): Promise<DomainTotals>;
  ttlSeconds(): Readonly<Record<string, number | null>>;
}

/** The counters of one domain, summed over processes, those that have ended included; or those of this one alone. */
export interface DomainTotals extends DomainMetrics {
  /** Number of live processes in the sums: all that have the domain, or this one alone. Ended ones are not in it. */
  readonly processes: number;
  /** Set while the store is away: why only this process is in the sums, in words. */
  readonly reason?: string;
}

/**
 * Where each process publishes its counters, and reads those of all processes. `ProcessReports` of infra/fleet provides
 * it.
 */
export interface CounterReports {
  /** Replaces what this process publishes under `topic`. `content` is called anew for each report. */
  publishCounters(topic: string, content: () => object): void;
  /**
   * One report for each live process that publishes `topic`, this one included; and what processes that have ended have
   * counted. May reject with `StoreUnavailableError`.
   */
  readCounters(topic: string): Promise<{
    readonly live: readonly { readonly content: unknown }[];
    readonly ended: readonly { readonly content: unknown }[];
  }>;
}

/** How far the feeds that announce changes are followed. `ConsumerLeases` of infra/fleet provides it. */
export interface FeedAges {
  /**
   * For each feed: how many milliseconds ago it is known to have been up to date. A feed that is missing in the answer
   * counts as never followed. May reject with `StoreUnavailableError`.
   */
  feedAges(): Promise<ReadonlyMap<string, number>>;
}
