import { RecentReads } from './background/recent-reads.js';
import { buildKey } from './cache-keys.js';
import type { CacheService } from './cache.service.js';
import type {
  BackgroundEvent,
  CacheBucketMetrics,
  CallOptions,
  Fetcher,
  MaybeStale,
  ReadOutcome,
} from './cache.types.js';
import { encodePart, entry, type Dependency } from './dependencies.js';
import { emptyBucketMetrics } from './domain-board.js';
import type { EntryOptions } from './entry-options.js';
import type { FeedTrust } from './feeds/change-feeds.js';
import { FETCHES_PER_SECOND, RECENT_SECONDS, within } from './limits.js';
import { hitClock } from './local/hit-clock.js';
import { withCall, withMaxAge, type ResolvedOptions } from './read-through/get-or-set-options.js';
import { strategyOptions, strategySeconds, type Strategy } from './strategies.js';

/** How entries are built again after an invalidation, before somebody asks. */
export interface RehydrateOptions<T> {
  /**
   * The fetcher of an entry, by the parts of its key: what a caller would pass to `get`. Nobody passes `dependsOn` for it, so
   * it must name its dependencies itself.
   */
  readonly fetcher: (parts: readonly string[]) => Fetcher<T>;
  /** Only entries that this process was asked for within so many seconds, at most the thousand read last. */
  readonly recentSeconds: number;
  /** What is spared: buckets that name the same source share its rate. @default the domain */
  readonly source?: string;
  /** Fetches a second, for each process. Of two rates for one source the lower holds. @default 10 */
  readonly perSecond?: number;
}

/** What holds for every entry of a bucket: see docs/reference/bucket-options.md, also for what each does not mean. */
export interface BucketOptions<T> extends EntryOptions {
  /** How the entries end. */
  readonly strategy: Strategy<T>;
  /** Build entries again that an invalidation has dropped. @default none: the next reader builds */
  readonly rehydrate?: RehydrateOptions<T>;
}

const COUNTER: Readonly<Record<ReadOutcome, keyof CacheBucketMetrics>> = {
  hit: 'hits',
  miss: 'misses',
  coalesced: 'coalesced',
  bypass: 'bypassed',
  stale: 'stale',
};

const BACKGROUND_COUNTER: Readonly<Record<BackgroundEvent, keyof CacheBucketMetrics>> = {
  refreshed: 'refreshes',
  rehydrated: 'rehydrations',
  failed: 'backgroundFailures',
};

/** What needs no encoding: nearly all ids. A key is built for every read; looking first makes an L1 hit three times as fast. */
const PLAIN_PART = /^[A-Za-z0-9._~@-]*$/;

/** The entries of one kind in a domain: one way to make keys, one strategy, one set of counters. */
export class Bucket<T> {
  readonly metrics = emptyBucketMetrics();
  /** Seconds that an entry lives at most by its strategy; null: until it is invalidated, or as its value decides. */
  readonly ttlSeconds: number | null;
  private readonly prefix: string;
  private readonly options: ResolvedOptions;
  /** Until when entries are served at any age, where that depends on feeds; and how reads are made after that. */
  private readonly trust: FeedTrust | undefined;
  private readonly untrusted: ResolvedOptions;
  private readonly recent: RecentReads | undefined;

  constructor(
    private readonly cache: CacheService,
    private readonly domain: string,
    readonly name: string,
    { strategy, rehydrate, ...options }: BucketOptions<T>,
  ) {
    this.prefix = buildKey(domain, name, []);
    this.ttlSeconds = strategySeconds(strategy) ?? null;
    this.options = cache.resolve<T>({
      ...options,
      ...strategyOptions(strategy),
      onOutcome: (outcome) => void this.metrics[COUNTER[outcome]]++,
      onTooOld: () => void this.metrics.tooOld++,
      onBuilt: (event) => void this.metrics[event]++,
      onBackground: (event) => void this.metrics[BACKGROUND_COUNTER[event]]++,
    });
    const feeds = strategy.kind === 'change-driven' ? strategy.toldBy : undefined;
    this.trust = feeds && cache.watchFeeds(feeds);
    this.untrusted = this.trust ? withMaxAge(this.options, this.trust.maxAgeSeconds) : this.options;
    this.recent = rehydrate && this.rehydrated(rehydrate);
  }

  /** The key `domain:bucket:part[:part]`. */
  key(parts: readonly string[]): string {
    let key = this.prefix;
    for (const part of parts) key += `:${PLAIN_PART.test(part) ? part : encodePart(part)}`;
    return key;
  }

  /** The dependency by which exactly this entry is invalidated. */
  entry(parts: readonly string[]): Dependency {
    return entry(this.key(parts));
  }

  /** Reads through: see `CacheService.getOrSet`. Counts one hit, miss, coalesced or bypassed read, and an error if it rejects. */
  async get(parts: readonly string[], fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T> {
    try {
      const key = this.key(parts);
      this.recent?.note(key, parts);
      return await this.cache.getOrSet(key, fetcher, call ? this.optionsOf(call) : this.current());
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }

  /**
   * Like `get`, but the value may be stale, within the bucket's `stale` windows, and says so: see
   * `CacheService.getOrSetAllowingStale`.
   */
  async getAllowingStale(parts: readonly string[], fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<MaybeStale<T>> {
    try {
      const key = this.key(parts);
      this.recent?.note(key, parts);
      return await this.cache.getOrSetAllowingStale(key, fetcher, call ? this.optionsOf(call) : this.current());
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }

  private rehydrated({ fetcher, recentSeconds, source, perSecond }: RehydrateOptions<T>): RecentReads {
    const recent = new RecentReads(within('rehydrate.recentSeconds', recentSeconds, RECENT_SECONDS) * 1000);
    this.cache.registerRehydration(this.key(['']), {
      recent,
      fetcherOf: fetcher,
      options: this.options,
      source: source ?? this.domain,
      perSecond: within('rehydrate.perSecond', perSecond ?? 10, FETCHES_PER_SECOND),
    });
    return recent;
  }

  /** What holds for a read that begins now. All that it costs while the feeds are followed is the comparison. */
  private current(): ResolvedOptions {
    return this.trust === undefined || hitClock() < this.trust.trustedUntil ? this.options : this.untrusted;
  }

  private optionsOf(call: CallOptions<T>): ResolvedOptions {
    const { onOutcome } = call;
    if (!onOutcome) return withCall(this.current(), call);
    const countAndTell = (outcome: ReadOutcome) => {
      this.metrics[COUNTER[outcome]]++;
      onOutcome(outcome);
    };
    return withCall(this.current(), { ...call, onOutcome: countAndTell });
  }
}
