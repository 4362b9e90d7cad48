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
import { entry, type Dependency } from './dependencies.js';
import { emptyBucketMetrics } from './domain-board.js';
import type { EntryOptions } from './entry-options.js';
import { withCall, type ResolvedOptions } from './read-through/get-or-set-options.js';
import { strategyOptions, strategySeconds, type Strategy } from './strategies.js';

/** What holds for every entry of a bucket. */
export interface BucketOptions<T> extends EntryOptions {
  readonly strategy: Strategy<T>;
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

/** The entries of one kind in a domain: one way to make keys, one strategy, one set of counters. */
export class Bucket<T> {
  readonly metrics = emptyBucketMetrics();
  /** Seconds that an entry lives at most by its strategy; null: until it is invalidated, or as its value decides. */
  readonly ttlSeconds: number | null;
  private readonly options: ResolvedOptions;

  constructor(
    private readonly cache: CacheService,
    private readonly domain: string,
    readonly name: string,
    { strategy, ...options }: BucketOptions<T>,
  ) {
    this.ttlSeconds = strategySeconds(strategy) ?? null;
    this.options = cache.resolve<T>({
      ...options,
      ...strategyOptions(strategy),
      onOutcome: (outcome) => void this.metrics[COUNTER[outcome]]++,
      onBackground: (event) => void this.metrics[BACKGROUND_COUNTER[event]]++,
    });
  }

  /** The key `domain:bucket:part[:part]`. */
  key(parts: readonly string[]): string {
    return buildKey(this.domain, this.name, parts);
  }

  /** The dependency by which exactly this entry is invalidated. */
  entry(parts: readonly string[]): Dependency {
    return entry(this.key(parts));
  }

  /** Reads through: see `CacheService.getOrSet`. Counts one hit, miss, coalesced or bypassed read, and an error if it rejects. */
  async get(parts: readonly string[], fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T> {
    try {
      return await this.cache.getOrSet(this.key(parts), fetcher, call ? this.optionsOf(call) : this.options);
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
      const options = call ? this.optionsOf(call) : this.options;
      return await this.cache.getOrSetAllowingStale(this.key(parts), fetcher, options);
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }

  private optionsOf(call: CallOptions<T>): ResolvedOptions {
    const { onOutcome } = call;
    if (!onOutcome) return withCall(this.options, call);
    const countAndTell = (outcome: ReadOutcome) => {
      this.metrics[COUNTER[outcome]]++;
      onOutcome(outcome);
    };
    return withCall(this.options, { ...call, onOutcome: countAndTell });
  }
}
