import { RecentReads } from './upkeep/recent-reads.js';
import type { CacheService } from './cache.service.js';
import type {
  BackgroundEvent,
  CacheBucketMetrics,
  CallOptions,
  EntryOptions,
  FetchContext,
  Fetcher,
  MaybeStale,
  ReadOutcome,
} from './cache.types.js';
import { invalidOption } from './cache.errors.js';
import { encodePart, entry, type Dependency } from './dependencies.js';
import { emptyBucketMetrics } from './counters/bucket-metrics.js';
import type { FeedTrust } from './feeds/change-feeds.js';
import { FETCHES_PER_SECOND, IDS_MAX, RECENT_SECONDS, within } from './protocol/limits.js';
import { hitClock } from '../process/hit-clock.js';
import { INTERNALS, type CacheInternals } from './read-through/cache-internals.js';
import { callForOne, type ManySource } from './read-through/many/many-call.js';
import type { ManyLoader } from './read-through/many/many-loader.js';
import { withCall, withMaxAge, type ResolvedOptions } from './read-through/get-or-set-options.js';
import { strategyOptions, strategySeconds, type Strategy } from './strategies.js';

/** The parts of the keys of a bucket, such as `[account: SalesforceId]`. Write a number as text. */
export type KeyParts = readonly string[];

/** Fetches the value of the entry with these parts from the source, as a `Fetcher` does. */
export type Loader<T, P extends KeyParts = KeyParts> = (parts: P, context: FetchContext) => Promise<T>;

/** Which entries a bucket rebuilds by its `load` after an invalidation, before a caller asks for them, and how fast. */
export interface RehydrateOptions {
  /** Rebuild only entries read in this process within this many seconds, at most the 1,000 read last. */
  readonly recentSeconds: number;
  /** The system that the rate protects: buckets that name the same source share its rate. @default the domain */
  readonly source?: string;
  /**
   * Maximum fetches per second for rebuilding, in each process. Among buckets that share a source, the lowest rate
   * applies to all. @default 10
   */
  readonly perSecond?: number;
}

/** The options of every entry of a bucket. docs/reference/bucket-options.md also says what each one does not mean. */
export interface BucketOptions<T, P extends KeyParts = KeyParts> extends EntryOptions {
  /** How the entries end. */
  readonly strategy: Strategy<T>;
  /** Fetches what is missing, for callers that pass no fetcher. @default none: every caller passes one */
  readonly load?: Loader<T, P>;
  /** Fetches what is missing of many entries with one call, for `getMany`; of one entry, if there is no `load`. */
  readonly loadMany?: ManyLoader<T, P>;
  /** Rebuild entries that an invalidation has dropped; needs `load` or `loadMany`. @default none: the next reader builds */
  readonly rehydrate?: RehydrateOptions;
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

/**
 * Matches parts that need no encoding: nearly all ids. Every read builds a key; this check makes an L1 hit three times
 * as fast.
 */
const PLAIN_PART = /^[A-Za-z0-9._~@-]*$/;

/**
 * The entries of one kind in a domain: they share the key format, the strategy and the counters. A bucket with `load`
 * is a `LoadingBucket`, whose callers need no fetcher.
 */
export class Bucket<T, P extends KeyParts = KeyParts> {
  readonly metrics = emptyBucketMetrics();
  /**
   * Maximum seconds that an entry lives by its strategy; null if the strategy sets no maximum, or each value has its
   * own.
   */
  readonly ttlSeconds: number | null;
  protected readonly cache: CacheInternals;
  protected readonly prefix: string;
  private readonly options: ResolvedOptions;
  /**
   * Set if the strategy names feeds and the cache checks feeds. Reads then use `options` until `trustedUntil`, and
   * `untrusted` after it.
   */
  private readonly trust: FeedTrust | undefined;
  private readonly untrusted: ResolvedOptions;
  protected readonly recent: RecentReads | undefined;

  constructor(
    cache: CacheService,
    private readonly domain: string,
    readonly name: string,
    { strategy, load, loadMany: _, rehydrate, ...options }: BucketOptions<T, P>,
  ) {
    this.cache = cache[INTERNALS];
    this.prefix = buildKey(domain, name, []);
    this.ttlSeconds = strategySeconds(strategy) ?? null;
    if (options.sensitive) this.cache.requireEncryption(this.prefix);
    this.options = this.cache.resolve<T>({
      ...options,
      ...strategyOptions(strategy),
      onOutcome: (outcome) => void this.metrics[COUNTER[outcome]]++,
      onTooOld: () => void this.metrics.tooOld++,
      onBuilt: (event) => void this.metrics[event]++,
      onBackground: (event) => void this.metrics[BACKGROUND_COUNTER[event]]++,
    });
    const feeds = strategy.kind === 'change-driven' ? strategy.toldBy : undefined;
    this.trust = feeds && this.cache.watchFeeds(feeds);
    this.untrusted = this.trust ? withMaxAge(this.options, this.trust.maxAgeSeconds) : this.options;
    this.recent = rehydrate && this.rehydrated(rehydrate, load);
  }

  /** The key `domain:bucket:part[:part]`. */
  key(parts: P): string {
    let key = this.prefix;
    for (const part of parts) key += `:${PLAIN_PART.test(part) ? part : encodePart(part)}`;
    return key;
  }

  /**
   * The parts that `key` was given for this key; undefined for a key of another bucket. There may be more or fewer than
   * expected: another version of the application may have made the key.
   */
  partsOf(key: string): readonly string[] | undefined {
    if (key === this.prefix) return [];
    if (!key.startsWith(`${this.prefix}:`)) return undefined;
    try {
      return key
        .slice(this.prefix.length + 1)
        .split(':')
        .map((part) => decodeURIComponent(part));
    } catch {
      return undefined; // no bucket makes a key that cannot be decoded
    }
  }

  /** The dependency that invalidates exactly this entry. */
  entry(parts: P): Dependency {
    return entry(this.key(parts));
  }

  /**
   * Reads through: see `CacheService.getOrSet`. Counts one hit, miss, coalesced or bypassed read; a rejection counts as
   * an error.
   */
  async get(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T> {
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
   * Like `get`, but the value may be stale, within the bucket's `stale` windows, and is then marked as stale: see
   * `CacheService.getOrSetAllowingStale`.
   */
  async getAllowingStale(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<MaybeStale<T>> {
    try {
      const key = this.key(parts);
      this.recent?.note(key, parts);
      return await this.cache.getOrSetAllowingStale(key, fetcher, call ? this.optionsOf(call) : this.current());
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }

  private rehydrated(
    { recentSeconds, source, perSecond }: RehydrateOptions,
    load: Loader<T, P> | undefined,
  ): RecentReads {
    if (!load) throw invalidOption(`the bucket ${this.prefix} cannot rehydrate without load or loadMany`);
    const recent = new RecentReads(within('rehydrate.recentSeconds', recentSeconds, RECENT_SECONDS) * 1000);
    this.cache.registerRehydration(`${this.prefix}:`, {
      recent,
      fetcherOf: (parts) => (context) => load(parts as P, context), // they are those of an earlier `get`
      options: this.options,
      source: source ?? this.domain,
      perSecond: within('rehydrate.perSecond', perSecond ?? 10, FETCHES_PER_SECOND),
    });
    return recent;
  }

  /**
   * The options of a read that begins now. Every read calls this: at most, it reads a clock and compares two numbers.
   */
  protected current(): ResolvedOptions {
    return this.trust === undefined || hitClock() < this.trust.trustedUntil ? this.options : this.untrusted;
  }

  protected optionsOf(call: CallOptions<T>): ResolvedOptions {
    const { onOutcome } = call;
    if (!onOutcome) return withCall(this.current(), call);
    const countAndTell = (outcome: ReadOutcome) => {
      this.metrics[COUNTER[outcome]]++;
      onOutcome(outcome);
    };
    return withCall(this.current(), { ...call, onOutcome: countAndTell });
  }
}

/** A bucket that knows how to fetch its entries. A fetcher given to one call is used instead for that call. */
export class LoadingBucket<T, P extends KeyParts = KeyParts> extends Bucket<T, P> {
  protected readonly load: Loader<T, P>;

  constructor(
    cache: CacheService,
    domain: string,
    name: string,
    options: BucketOptions<T, P> & { readonly load: Loader<T, P> },
  ) {
    super(cache, domain, name, options);
    this.load = options.load;
  }

  override get(parts: P, call?: CallOptions<T>): Promise<T>;
  override get(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T>;
  override get(parts: P, given?: Fetcher<T> | CallOptions<T>, call?: CallOptions<T>): Promise<T> {
    return typeof given === 'function'
      ? super.get(parts, given, call)
      : super.get(parts, (context) => this.load(parts, context), given);
  }

  override getAllowingStale(parts: P, call?: CallOptions<T>): Promise<MaybeStale<T>>;
  override getAllowingStale(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<MaybeStale<T>>;
  override getAllowingStale(
    parts: P,
    given?: Fetcher<T> | CallOptions<T>,
    call?: CallOptions<T>,
  ): Promise<MaybeStale<T>> {
    return typeof given === 'function'
      ? super.getAllowingStale(parts, given, call)
      : super.getAllowingStale(parts, (context) => this.load(parts, context), given);
  }
}

/** A bucket that fetches many missing entries with one call to the source. */
export class ManyBucket<T, P extends KeyParts = KeyParts> extends LoadingBucket<T, P> {
  private readonly source: ManySource;

  constructor(
    cache: CacheService,
    domain: string,
    name: string,
    options: BucketOptions<T, P> & { readonly loadMany: ManyLoader<T, P> },
  ) {
    const source: ManySource = {
      name: buildKey(domain, name, []),
      load: (many, context) => options.loadMany(many as readonly P[], context), // all ids come from `getMany` or `get`
      keyOf: (parts) => buildKey(domain, name, parts),
    };
    const loadOne = (parts: P, context: FetchContext) => callForOne(source, parts, context) as Promise<T>;
    super(cache, domain, name, { ...options, load: options.load ?? loadOne });
    this.source = source;
  }

  /**
   * Reads these entries, at most 1,000, and answers each in its place: its value, or why there is none. What is missing
   * is fetched by `loadMany`, with one call for up to 200 ids. Each entry is judged and stored by itself, as by `get`:
   * the answers are no snapshot, and need not come from the same time. Rejects `CACHE_INVALID_OPTION` for too many ids.
   */
  async getMany(many: readonly P[], call?: CallOptions<T>): Promise<readonly PromiseSettledResult<T>[]> {
    if (many.length > IDS_MAX) {
      throw invalidOption(`getMany of ${this.prefix} takes at most ${IDS_MAX} ids, not ${many.length}: ask in parts`);
    }
    const partsOf = new Map<string, P>();
    const keys = many.map((parts) => {
      const key = this.key(parts);
      partsOf.set(key, parts);
      this.recent?.note(key, parts);
      return key;
    });
    const answers = await this.cache.getMany({
      partsOf,
      source: this.source,
      fetcherOf: (parts) => (context) => this.load(parts as P, context),
      options: call ? this.optionsOf(call) : this.current(),
    });
    for (const { status } of answers.values()) if (status === 'rejected') this.metrics.errors++;
    return keys.map((key) => answers.get(key) as PromiseSettledResult<T>);
  }
}

/**
 * The key `domain:type:part[:part]`. Every part is encoded, so an id can hold any character but half a surrogate pair.
 */
export function buildKey(domain: string, type: string, parts: readonly string[]): string {
  return [domain, type, ...parts].map(encodePart).join(':');
}
