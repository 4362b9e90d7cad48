import type { Dependency } from './dependencies.js';
import type { EntryOptions, SlidingOptions, TtlSeconds } from './entry-options.js';

/** What a fetcher is handed. */
export interface FetchContext {
  /**
   * Names what the value is built from, at any time before the fetcher settles. Name a record when you begin to read it:
   * an invalidation that arrives while the fetch runs then ends the build at once instead of at its commit.
   */
  readonly dependsOn: (...dependencies: Dependency[]) => void;
  /**
   * Aborted when the cache is closed, or the fetch has taken too long. It is not aborted when a caller stops waiting: others
   * may still want the value.
   */
  readonly signal: AbortSignal;
}

/** The call to the source. It is called only after the cache has taken the start point that its value is judged by. */
export type Fetcher<T> = (context: FetchContext) => Promise<T>;

/** Dependencies known before the fetch, or read off the fetched value. */
export type DeclaredDependencies<T> = readonly Dependency[] | ((value: T) => readonly Dependency[]);

export interface GetOptions {
  /**
   * How long to wait, in milliseconds, for a build that is under way; then `CACHE_WAIT_TIMEOUT`.
   * @default 0: an entry that is being built is a miss
   */
  readonly waitMs?: number;
}

export interface SetOptions {
  /** Seconds until the entry expires. @default none: kept until invalidated (bounded by the store's retention) */
  readonly ttlSeconds?: number;
  readonly dependsOn?: readonly Dependency[];
  /** Encrypt the value in the store (AES-256-GCM). @default false */
  readonly sensitive?: boolean;
}

/** What one caller may say of its own read. */
export interface CallOptions<T> {
  /** United with what the fetcher names through its context. */
  readonly dependsOn?: DeclaredDependencies<T>;
  /** How long this caller waits for somebody else's build, in milliseconds; then `CACHE_WAIT_TIMEOUT`. @default 30000 */
  readonly waitMs?: number;
  /**
   * Answer with an entry only if its fetch began no more seconds ago; an older one is built anew for all, and this caller waits
   * for that, or is told its error. An age is never taken for less than it is. Such a read passes the L1 by, which does not
   * know ages. 0: only a fetch that begins after the call will do. @default any age
   */
  readonly maxAgeSeconds?: number;
  /** Told how this caller was answered, just before it is. */
  readonly onOutcome?: (outcome: ReadOutcome) => void;
}

/**
 * What happened where no caller waited: `refreshed` an entry was built before its end, or while its stale copy was handed
 * out; `rehydrated` it was built again after an invalidation; `failed` such a build failed, or one whose caller had been
 * given a stale value.
 */
export type BackgroundEvent = 'refreshed' | 'rehydrated' | 'failed';

/**
 * What had to be done so that a value could be kept: `folded` it was built from more than an entry can depend on, so that it
 * falls when any record of a table changes; `reshaped` the fetcher brought something that JSON changes, and everybody is given
 * what JSON makes of it.
 */
export type BuildEvent = 'folded' | 'reshaped';

export interface GetOrSetOptions<T> extends EntryOptions, CallOptions<T> {
  /** When the entry expires. @default none: kept until invalidated */
  readonly ttlSeconds?: TtlSeconds<T>;
  /** An end that hits move, instead of a TTL. @default none */
  readonly sliding?: SlidingOptions;
  /** How long this caller waits for somebody else's build, in milliseconds; then `CACHE_WAIT_TIMEOUT`. @default 30000 */
  readonly waitMs?: number;
  /** Renew the lease at a third of `leaseMs` while the fetch runs. Off, a slow build can be overtaken. @default true */
  readonly renewLease?: boolean;
  /** Told, once at most, that there was an entry which was too old for this call: see `maxAgeSeconds`. */
  readonly onTooOld?: () => void;
  /** Told, of each build that this call makes, what had to be done so that it could be kept. */
  readonly onBuilt?: (event: BuildEvent) => void;
  /** Told what this call has set off, when that has ended; with the error of a failure, which reaches nobody else. */
  readonly onBackground?: (event: BackgroundEvent, error?: unknown) => void;
}

export interface LockOptions {
  /** How long to wait for whoever holds the key, in milliseconds; then `CACHE_WAIT_TIMEOUT`. @default 30000 */
  readonly waitMs?: number;
  /** How long the lock is held at most, in milliseconds. It is not renewed: choose it for the work. @default 10000 */
  readonly leaseMs?: number;
}

/**
 * The right to replace one entry, which nobody else has until it is written, released, or its time is over. It is for one
 * read, change and write. It does not keep anybody from reading the entry, nor from `set`, `del` or an invalidation: those
 * end the lock, and the write then says so.
 */
export interface CacheLock<T> {
  readonly key: string;
  /** What is stored: read after the lock was had. null: nothing, or `null`. */
  readonly value: T | null;
  /**
   * Stores a value and ends the lock, in one step; acknowledged like `set`. False, and nothing was changed: the lock had been
   * lost, released or used. Rejects `CACHE_NOT_ACKNOWLEDGED` if the store did not answer: the value may then be stored or not.
   */
  write(value: T, options?: SetOptions): Promise<boolean>;
  /** Ends the lock, if it has not ended yet. */
  release(): Promise<void>;
}

/** A value, and whether it is true as far as the cache knows. */
export type MaybeStale<T> =
  | { readonly value: T; readonly isStale: false }
  /**
   * It expired, something that it was built from was invalidated, or it came to the age that the caller set as its bound,
   * `staleForMs` milliseconds ago.
   */
  | { readonly value: T; readonly isStale: true; readonly staleForMs: number };

/**
 * How one caller was answered: `hit` from the store; `miss` its own call fetched; `coalesced` it shared another caller's
 * build (in any process) and is neither; `bypass` the store was unreachable and the source answered; `stale` it allowed a
 * stale value and was given one.
 */
export type ReadOutcome = 'hit' | 'miss' | 'coalesced' | 'bypass' | 'stale';

/** `pending`: no entry, but somebody is building it. */
export type KeyStatus = 'empty' | 'pending' | 'exists';

/** What an acknowledged invalidation did. */
export interface Invalidation {
  /** Live entries that fell at once. */
  readonly dropped: number;
  /** The keys of those entries, at most 1,000 of them. */
  readonly keys: readonly string[];
  /** Dependencies with so many dependants that these are refused on read at once but freed later, by the sweeper. */
  readonly deferred: number;
}

/** Counters of one bucket. `coalesced` waiters are neither hits nor misses; what nobody waited for is neither, too. */
export interface CacheBucketMetrics {
  hits: number;
  misses: number;
  coalesced: number;
  bypassed: number;
  errors: number;
  /** Callers who were given a stale value, as they had allowed. */
  stale: number;
  /**
   * Callers for whom there was an entry, but a too old one: nobody followed the feeds that announce its changes, or the
   * caller had set a bound. How they were answered is counted as well.
   */
  tooOld: number;
  /** Builds of so many records that the entry depends on all records of a table, and falls when any of them changes. */
  folded: number;
  /** Fetches of values that JSON changes (a `Date`, `NaN` …): everybody was given what it makes of them. */
  reshaped: number;
  /** Entries built in the background, before their end or behind a stale answer. */
  refreshes: number;
  /** Entries built again after an invalidation, before somebody asked. */
  rehydrations: number;
  /** Builds that failed while nobody waited for them. */
  backgroundFailures: number;
}

/** Counters of one domain: its buckets, and how many times its invalidation methods were called. */
export interface DomainMetrics {
  readonly buckets: Readonly<Record<string, CacheBucketMetrics>>;
  readonly invalidations: number;
  /** Dependencies whose repeated invalidation was acknowledged (`repeatAfterMs`); not counted as invalidations. */
  readonly repeatedInvalidations: number;
  /** Dependencies whose repeat was given up, or never taken on because too many were waiting. */
  readonly lostRepeats: number;
}

/** The counters of one domain, summed over processes. */
export interface DomainTotals extends DomainMetrics {
  /** How many processes are in the sums: all live ones, or this one alone. */
  readonly processes: number;
  /** Why it is this one alone, in words. */
  readonly reason?: string;
}
