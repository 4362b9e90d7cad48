import type {
  CacheBucketMetrics,
  CountedDomain,
  DomainMetrics,
  DomainTotals,
  Fetcher,
  GetOrSetOptions,
  MaybeStale,
} from '../cache.types.js';
import type { FeedTrust } from '../feeds/change-feeds.js';
import type { L1Hit } from '../protocol/cache-store.js';
import type { RehydratedBucket } from '../upkeep/rehydration.js';
import type { ResolvedOptions } from './get-or-set-options.js';
import type { ManyAnswers, ManyRead } from './many/many-reader.js';

/** Under this name a `CacheService` has its `CacheInternals`. */
export const INTERNALS = Symbol('CacheInternals');

/** What the cache's own classes, `Bucket` and `DomainCache`, ask of a `CacheService`, and its users do not. */
export interface CacheInternals {
  /**
   * Checks options once for many reads and applies the cache's defaults; throws `CACHE_INVALID_OPTION` for invalid
   * ones. `counts` count the answers of all reads with these options.
   */
  resolve<T>(options: GetOrSetOptions<T>, counts: CacheBucketMetrics): ResolvedOptions;
  /** See `Reader.entryInL1`. */
  entryInL1(key: string): L1Hit | undefined;
  /** The value of a hit in this process, if it starts no work: see `Reader.serveAtRest`. */
  serveAtRest<T>(entry: L1Hit, options: ResolvedOptions, now: number): Promise<T> | undefined;
  /** `CacheService.getOrSet` with options that are checked. */
  getOrSet<T>(key: string, fetcher: Fetcher<T>, options: ResolvedOptions): Promise<T>;
  /** `CacheService.getOrSetAllowingStale` with options that are checked. */
  getOrSetAllowingStale<T>(key: string, fetcher: Fetcher<T>, options: ResolvedOptions): Promise<MaybeStale<T>>;
  /** Reads many entries of one bucket: see `readMany`. */
  getMany(read: ManyRead): Promise<ManyAnswers>;
  /**
   * From now on a stored value whose key begins with this `domain:bucket` counts as absent unless it is encrypted for
   * its key.
   */
  requireEncryption(prefix: string): void;
  /** Until when entries whose changes these feeds announce may be served at any age; undefined: always. */
  watchFeeds(names: readonly string[]): FeedTrust | undefined;
  /** From now on, entries of this bucket that were read lately are rebuilt when an invalidation drops them. */
  registerRehydration(keyPrefix: string, bucket: RehydratedBucket): void;
  /** Publishes a domain's counters on the board that every process can read. */
  registerDomain(domain: CountedDomain, metrics: () => DomainMetrics): void;
  /**
   * The counters of a domain, summed over all processes, those that have ended included; those of this process alone
   * without `reports`, or while the store is away.
   */
  domainMetrics(domain: string): Promise<DomainTotals>;
}
