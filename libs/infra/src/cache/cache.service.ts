import { CacheError } from './cache.errors.js';
import { Rehydration } from './upkeep/rehydration.js';
import type {
  CacheLock,
  CountedDomain,
  CounterReports,
  DirectReads,
  Fetcher,
  GetOptions,
  GetOrSetOptions,
  Invalidation,
  KeyStatus,
  LockOptions,
  MaybeStale,
  SetOptions,
} from './cache.types.js';
import { entry, invalidatedDependencies, type Dependency } from './dependencies.js';
import { DomainBoard } from './counters/domain-board.js';
import type { ChangeFeeds } from './feeds/change-feeds.js';
import { checkKey } from './protocol/check-key.js';
import { KeyPattern } from './protocol/key-pattern.js';
import { ttlMs, WAIT_MS, within } from './protocol/limits.js';
import { BackgroundBuilds } from './read-through/background-builds.js';
import { CacheLocks } from './read-through/locks/cache-locks.js';
import { writtenDependencies } from './read-through/dependency-set.js';
import { INTERNALS, type CacheInternals } from './read-through/cache-internals.js';
import { readMany } from './read-through/many/many-reader.js';
import type { ReadDefaults } from './read-through/get-or-set-options.js';
import { ReadThrough } from './read-through/read-through.js';
import { Reader } from './read-through/reader.js';
import { StaleReader } from './read-through/stale-reader.js';
import { settlesWithin } from '../process/settles-within.js';
import type { CacheStore, StoreState } from './protocol/cache-store.js';
import { Upkeep } from './upkeep/upkeep.js';
import { Sweeper } from './upkeep/sweeper.js';
import type { ValueCodec } from './protocol/value-codec.js';

/** How long `close` waits for builds under way; then the store is closed without them. */
const CLOSE_MS = 2000;
/** How long calls wait for the first connection to the store; then they go on, and find the store away. */
const OPENING_MS = 1000;

/** The parts of a `CacheService`, made by `composeCache`. */
export interface CacheServiceParts {
  readonly store: CacheStore;
  readonly codec: ValueCodec;
  /** @default the counters of this process alone */
  readonly reports?: CounterReports | undefined;
  /** Undefined: change-driven entries are trusted for ever, even if no process follows their feeds. */
  readonly feeds?: ChangeFeeds | undefined;
  readonly defaults: ReadDefaults;
  /** Maximum concurrent fetches while the store is away, with the exceptions that `Bypass` names. */
  readonly bypassConcurrency: number;
  /** Called after the cache has closed, to close what was opened for it alone. */
  readonly afterClose?: () => Promise<void>;
}

/**
 * The cache: values under keys, each with the dependencies that it was built from.
 *
 * After `invalidate`, `set` or `del` has resolved, no read that begins later, in any process, returns a value that it
 * affected and whose fetch had begun before (docs/concepts/coherence.md). Exceptions: reads that allow stale values,
 * L1s in the mode `bounded` for up to a second, and `onSplit: 'serve'` in a split. Values are JSON, for the first
 * caller too. Callers that share a build share one object, and with an L1 hits may share one as well; other hits return
 * a parsed copy. Treat values as read-only.
 */
export class CacheService {
  readonly [INTERNALS]: CacheInternals;
  private readonly store: CacheStore;
  private readonly codec: ValueCodec;
  private readonly readThrough: ReadThrough;
  private readonly reader: Reader;
  private readonly staleReader: StaleReader;
  private readonly locks: CacheLocks;
  private readonly rehydration: Rehydration;
  private readonly sweeper: Sweeper;
  private readonly board: DomainBoard;
  private isClosed = false;
  private closed: Promise<void> | undefined;
  private opened: Promise<void> | undefined;
  /** Set during the first connection to the store. Calls wait for it, so that none misses a store that is up. */
  private opening: Promise<void> | undefined;

  constructor(private readonly parts: CacheServiceParts) {
    this.store = parts.store;
    this.codec = parts.codec;
    this.readThrough = new ReadThrough(parts.store, parts.codec, parts.bypassConcurrency);
    const admit = (key: string) => {
      this.check(key);
      return this.opening;
    };
    const background = new BackgroundBuilds(this.readThrough);
    const upkeep = new Upkeep(parts.store, this.readThrough.clock, background);
    this.reader = new Reader(parts.store, parts.codec, this.readThrough, parts.defaults, admit, upkeep);
    this.staleReader = new StaleReader(parts.store, this.reader, background);
    this.locks = new CacheLocks({
      store: parts.store,
      codec: parts.codec,
      leaseWatches: this.readThrough.leaseWatches,
      defaults: parts.defaults,
      admit,
      write: (key, value, leaseId, options) => this.write('the write of a lock', key, value, options, leaseId),
    });
    this.rehydration = new Rehydration(parts.store, background);
    this.sweeper = new Sweeper(parts.store);
    this.board = new DomainBoard(parts.reports);
    this[INTERNALS] = this.internals();
  }

  private internals(): CacheInternals {
    const { store, reader, readThrough, staleReader, rehydration, board, codec } = this;
    return {
      resolve: (options, counts) => reader.resolve(options, counts),
      entryInL1: (key) => reader.entryInL1(key),
      serveAtRest: (entry, options, now) => reader.serveAtRest(entry, options, now),
      getOrSet: (key, fetcher, options) => reader.getOrSet(key, fetcher, options),
      getOrSetAllowingStale: (key, fetcher, options) => staleReader.read(key, fetcher, options),
      getMany: (read) => readMany({ store, reader, readThrough }, read),
      requireEncryption: (prefix) => codec.requireEncryption(prefix),
      watchFeeds: (names) => this.parts.feeds?.watch(names),
      registerRehydration: (keyPrefix, bucket) => rehydration.register(keyPrefix, bucket),
      registerDomain: (domain, metrics) => board.register(domain, metrics),
      domainMetrics: (domain) => board.total(domain),
    };
  }

  /**
   * Connects the store, checks which feeds are followed, and starts the sweeper. Rejects `CACHE_STORE_UNSUITABLE` for a
   * server that must not be used. An unreachable server is no error: the source answers until it is back.
   */
  open(): Promise<void> {
    if (!this.opened) {
      this.opened = this.store.open().then(() => this.parts.feeds?.start());
      this.sweeper.start();
      const settled = this.opened.catch(() => undefined);
      this.opening = settlesWithin(settled, OPENING_MS).then(() => (this.opening = undefined));
    }
    return this.opened;
  }

  /**
   * Aborts the signals of running fetches, gives their builds two seconds to end, then closes. Later calls reject with
   * `CACHE_CLOSED`.
   */
  close(): Promise<void> {
    this.closed ??= this.closeAll();
    return this.closed;
  }

  private async closeAll(): Promise<void> {
    this.isClosed = true;
    this.reader.close();
    if (this.opening) await this.opening;
    this.parts.feeds?.stop();
    this.rehydration.close();
    this.readThrough.close();
    await settlesWithin(this.readThrough.idle(), CLOSE_MS);
    await this.sweeper.stop();
    await this.store.close();
    await this.parts.afterClose?.();
  }

  /**
   * The value; undefined for a miss, or if the store does not answer. Starts no build. With `waitMs` it waits while a
   * build or a lock holds the key. It rejects with `CACHE_BUILD_FAILED` when it hears that the build has failed, and
   * with `CACHE_WAIT_TIMEOUT` if the key is held longer.
   */
  async get<T>(key: string, options: GetOptions = {}): Promise<T | undefined> {
    this.check(key);
    const waitMs = within('waitMs', options.waitMs ?? 0, WAIT_MS);
    if (this.opening) await this.opening;
    return this.reader.get<T>(key, waitMs);
  }

  /**
   * Stores a value unconditionally. The value counts as fetched at the instant at which the store applies it; values of
   * builds of the key that began before are not stored. Use `getOrSet` for a value from the source: it notices
   * invalidations during the fetch. Rejects `CACHE_NOT_ACKNOWLEDGED` if the store did not confirm the write.
   */
  async set<T>(key: string, value: T, options: SetOptions = {}): Promise<void> {
    await this.write('set', key, value, options);
  }

  /**
   * The value of the entry, or the fetcher's value, fetched once for all callers that ask at the same time in any
   * process. An error of the fetcher reaches the callers that wait for that build (in another process as
   * `CACHE_BUILD_FAILED`, unless the message is lost) and is never cached. While the store is away, the source answers.
   *
   * @param options a TTL in seconds, or options; without a TTL the safety TTL applies, if there is one
   */
  getOrSet<T>(key: string, fetcher: Fetcher<T>, options?: number | GetOrSetOptions<T>): Promise<T> {
    return this.reader.getOrSet(key, fetcher, options);
  }

  /**
   * Like `getOrSet`, for callers that prefer a stale value to waiting or to an error; `isStale` says which they
   * received. For `stale.whileRevalidateSeconds` after the end of an entry, its value is returned at once, and one
   * build runs in the background. For `stale.ifErrorSeconds` after that end, that value replaces a fetch that fails or
   * takes longer than `softTimeoutMs`. `del`, `set`, a deferred invalidation and a new history end both times, and
   * there is no stale value while the store is away. With `maxAgeSeconds`, an entry that is too old counts as ended
   * when it reached that age.
   */
  getOrSetAllowingStale<T>(key: string, fetcher: Fetcher<T>, options: GetOrSetOptions<T>): Promise<MaybeStale<T>> {
    return this.staleReader.read(key, fetcher, options);
  }

  /**
   * Waits until nobody else locks or builds the key, then keeps others from both until the lock ends: one holder over
   * all processes. Rejects `CACHE_WAIT_TIMEOUT` after `waitMs`, and `CACHE_STORE_UNAVAILABLE` while the store is away.
   * The caller releases the lock; `withLock` does so by itself.
   */
  lock<T>(key: string, options?: LockOptions): Promise<CacheLock<T>> {
    return this.locks.acquire<T>(key, options);
  }

  /** The result of `use`, called with the lock; then the lock is released, also if `use` fails. */
  async withLock<T, R>(key: string, use: (lock: CacheLock<T>) => Promise<R>, options?: LockOptions): Promise<R> {
    const lock = await this.lock<T>(key, options);
    try {
      return await use(lock);
    } finally {
      await lock.release();
    }
  }

  /**
   * Removes entries, acknowledged like an invalidation; returns how many were live. Values of builds of these keys that
   * began before are not stored.
   */
  async del(...keys: string[]): Promise<number> {
    keys.forEach((key) => this.check(key));
    if (keys.length === 0) return 0;
    return (await this.invalidateAll('del', [...new Set(keys)].map(entry))).dropped;
  }

  /** Whether the entry exists, is pending, or neither. Rejects `CACHE_STORE_UNAVAILABLE` while the store is away. */
  async status(key: string): Promise<KeyStatus> {
    this.check(key);
    if (this.opening) await this.opening;
    return (await this.store.status(key)).status;
  }

  /**
   * Resolves when no read that begins later can return a value that depends on any of these and was fetched before,
   * with the exceptions that the class names. Rejects with `CACHE_NOT_ACKNOWLEDGED` if the store did not confirm it
   * everywhere; the caller must then repeat it.
   */
  async invalidate(...dependencies: Dependency[]): Promise<Invalidation> {
    this.checkOpen();
    if (dependencies.length === 0) return { dropped: 0, keys: [], deferred: 0 };
    return this.invalidateAll('invalidate', invalidatedDependencies(dependencies));
  }

  /** Keys of live entries that match (see `KeyPattern`), each once, read from the store page by page. */
  async *scan(pattern: string): AsyncIterable<string> {
    for await (const keys of this.matching(pattern)) yield* keys;
  }

  /**
   * Removes the entries whose keys match; returns how many. An entry that is being built meanwhile may stay: for a
   * guarantee, invalidate a `namespace`.
   */
  delByPattern(pattern: string): Promise<number> {
    return this.sum(pattern, (keys) => this.del(...keys));
  }

  /** The number of live entries whose keys match. */
  countByPattern(pattern: string): Promise<number> {
    return this.sum(pattern, (keys) => keys.length);
  }

  /** Bytes that the store needs for the entries whose keys match: keys and values, without the index. */
  memoryUsageByPattern(pattern: string): Promise<number> {
    return this.sum(pattern, (keys) => this.store.memoryUsage(keys));
  }

  state(): StoreState {
    return this.store.state();
  }

  /** The domain caches that use this service, by name. */
  get domains(): ReadonlyMap<string, CountedDomain> {
    return this.board.domains;
  }

  /** How this service's own reads through were answered in this process; buckets count theirs (`DomainCache.metrics`). */
  directReads(): DirectReads {
    return this.reader.directReads();
  }

  /** The feeds whose age this process checks. */
  watchedFeeds(): readonly string[] {
    return this.parts.feeds?.names() ?? [];
  }

  private write(
    operation: string,
    key: string,
    value: unknown,
    options: SetOptions,
    leaseId?: string,
  ): Promise<boolean> {
    this.check(key);
    const dependencies = writtenDependencies(key, options.dependsOn ?? []);
    const request = {
      key,
      value: this.codec.encode(key, this.codec.faithful(key, value).value, options.sensitive ?? false),
      dependencies,
      ttlMs: ttlMs(options.ttlSeconds ?? this.parts.defaults.safetyTtlSeconds),
      ...(leaseId !== undefined && { leaseId }),
    };
    return this.acknowledged(operation, [entry(key)], () => this.store.write(request));
  }

  private invalidateAll(operation: string, dependencies: readonly Dependency[]): Promise<Invalidation> {
    return this.acknowledged(operation, dependencies, () => this.store.invalidate(dependencies));
  }

  private async acknowledged<T>(
    operation: string,
    dependencies: readonly Dependency[],
    apply: () => Promise<T>,
  ): Promise<T> {
    if (this.opening) await this.opening;
    return this.readThrough.acknowledged(operation, dependencies, apply);
  }

  /** The live keys that match, in pages; no page is empty. */
  private async *matching(pattern: string): AsyncIterable<string[]> {
    this.checkOpen();
    if (this.opening) await this.opening;
    yield* new KeyPattern(pattern).pages(this.store.keys());
  }

  private async sum(pattern: string, count: (keys: string[]) => number | Promise<number>): Promise<number> {
    let sum = 0;
    for await (const keys of this.matching(pattern)) sum += await count(keys);
    return sum;
  }

  private check(key: string): void {
    this.checkOpen();
    checkKey(key);
  }

  private checkOpen(): void {
    if (this.isClosed) throw new CacheError('CACHE_CLOSED', 'the cache is closed', false);
  }
}
