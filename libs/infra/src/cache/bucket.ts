import { RecentReads } from './upkeep/recent-reads.js';
import type { CacheService } from './cache.service.js';
import type { CallOptions, EntryOptions, FetchContext, Fetcher, MaybeStale } from './cache.types.js';
import { invalidOption } from './cache.errors.js';
import { encodePart, entry, type Dependency } from './dependencies.js';
import { BACKGROUND_COUNTER, emptyBucketMetrics } from './counters/bucket-metrics.js';
import type { FeedTrust } from './feeds/change-feeds.js';
import type { L1Hit } from './protocol/cache-store.js';
import { FETCHES_PER_SECOND, RECENT_SECONDS, within } from './protocol/limits.js';
import { hitClock } from '../process/hit-clock.js';
import { INTERNALS, type CacheInternals } from './read-through/cache-internals.js';
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

/** Matches parts that need no encoding: nearly all ids. */
const PLAIN_PART = /^[A-Za-z0-9._~@-]*$/;
/** Maximum ids whose entries a bucket remembers. Beyond it, it forgets them all, and looks for each by its key again. */
const REMEMBERED_MAX = 16_384;

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
  /**
   * The entries of the L1 that parts of one id led to. To build a key and to look for it takes longer than all else of
   * a hit.
   */
  private remembered = new Map<string, L1Hit>();

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
    this.options = this.cache.resolve<T>(
      {
        ...options,
        ...strategyOptions(strategy),
        onTooOld: () => void this.metrics.tooOld++,
        onBuilt: (event) => void this.metrics[event]++,
        onBackground: (event) => void this.metrics[BACKGROUND_COUNTER[event]]++,
      },
      this.metrics,
    );
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
  get(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T> {
    return (call === undefined ? this.hit(parts) : undefined) ?? this.read(parts, fetcher, call);
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

  /**
   * The answer of a hit in this process that starts no work. Nearly all reads end here, so this makes no promise, no
   * function and no options. Undefined: call `read`, which also rejects for parts that make no key.
   */
  protected hit(parts: P): Promise<T> | undefined {
    const now = hitClock();
    const known = parts.length === 1 ? this.remembered.get(parts[0] as string) : undefined;
    const entry = known?.answer === undefined ? this.lookUp(parts) : known;
    if (entry === undefined) return undefined;
    this.recent?.note(entry.key, parts, now);
    return this.cache.serveAtRest<T>(entry, this.current(now), now);
  }

  /** Like `get`, without looking for a hit in this process first. */
  protected async read(parts: P, fetcher: Fetcher<T>, call?: CallOptions<T>): Promise<T> {
    try {
      const key = this.key(parts);
      this.recent?.note(key, parts);
      return await this.cache.getOrSet(key, fetcher, call ? this.optionsOf(call) : this.current());
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }

  /** The entry of the L1 for these parts, found by its key; undefined also for parts that make no key. */
  private lookUp(parts: P): L1Hit | undefined {
    let entry: L1Hit | undefined;
    try {
      entry = this.cache.entryInL1(this.key(parts));
    } catch {
      return undefined;
    }
    if (entry !== undefined && parts.length === 1) this.remember(parts[0] as string, entry);
    return entry;
  }

  private remember(id: string, entry: L1Hit): void {
    if (typeof id !== 'string' || !PLAIN_PART.test(id)) return;
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered = new Map();
    // A copy, because an id that was cut out of a larger text would keep that text in memory.
    this.remembered.set(Buffer.from(id, 'latin1').toString('latin1'), entry);
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

  /** The options of a read that begins now, by `hitClock()`. */
  protected current(now = hitClock()): ResolvedOptions {
    return this.trust === undefined || now < this.trust.trustedUntil ? this.options : this.untrusted;
  }

  protected optionsOf(call: CallOptions<T>): ResolvedOptions {
    return withCall(this.current(), call);
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
    if (typeof given === 'function') return super.get(parts, given, call);
    return (given === undefined ? this.hit(parts) : undefined) ?? this.read(parts, this.fetcherOf(parts), given);
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
      : super.getAllowingStale(parts, this.fetcherOf(parts), given);
  }

  protected fetcherOf(parts: P): Fetcher<T> {
    return (context) => this.load(parts, context);
  }
}

/**
 * The key `domain:type:part[:part]`. Every part is encoded, so an id can hold any character but half a surrogate pair.
 */
export function buildKey(domain: string, type: string, parts: readonly string[]): string {
  return [domain, type, ...parts].map(encodePart).join(':');
}
