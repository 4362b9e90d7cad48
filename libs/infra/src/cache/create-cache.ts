import type { OnSplit } from '../redis/primary-vouch.js';
import { createRedisClient, isRedisClient, type RedisClient } from '../redis/redis-client.js';
import { invalidOption } from './cache.errors.js';
import { CacheService } from './cache.service.js';
import type { Callers, CounterReports, FeedAges } from './cache.types.js';
import { ChangeFeeds } from './feeds/change-feeds.js';
import { Encryption, type EncryptionKey } from './encryption.js';
import { FEED_LOST_SECONDS, LEASE_MS, ttlMs, WAIT_MS, wholeWithin, within } from './protocol/limits.js';
import type { CacheStore } from './protocol/cache-store.js';
import { ValueCodec } from './protocol/value-codec.js';
import { MemoryCacheStore } from './store/memory/memory-cache-store.js';
import type { L1Mode, L1Options } from './store/redis/l1/redis-l1.js';
import { RedisCacheStore } from './store/redis/redis-cache-store.js';

/** The entries that a process keeps in front of Redis. */
export interface CacheL1Options {
  /**
   * `strict`: an invalidation waits until no L1 can serve what it dropped, a second at most. `bounded`: it is
   * acknowledged at once, and an L1 may serve the old value for up to a second. All processes of an application use the
   * same mode. @default 'strict'
   */
  readonly mode?: 'off' | L1Mode;
  /**
   * Maximum bytes: stored values and an estimate for their overhead; the objects take two to three times as much.
   * @default 64 MiB
   */
  readonly maxBytes?: number;
  /** @default 50000 */
  readonly maxEntries?: number;
  /** Freeze the values, so that a caller that changes one is caught. @default false */
  readonly shouldFreeze?: boolean;
}

/** The options of a cache. Every field is optional, and every default is safe. */
export interface CacheOptions {
  /**
   * A connection for commands, made by `createRedisClient`. null: the embedded store, in this process only.
   * @default null
   */
  readonly redis?: RedisClient | null;
  /**
   * Prefix of every key: applications with different names share nothing. 1 to 64 letters, digits, `.`, `_`, `-`.
   * @default 'evergreen'
   */
  readonly appName?: string;
  /**
   * Slices of the key space, the same number in every process: 4 to 8 for each master of a cluster, else 1. @default 1
   */
  readonly partitions?: number;
  /** Seconds after which an entry without a TTL ends nevertheless. Hits move no sliding end beyond it. @default none */
  readonly safetyTtlSeconds?: number;
  /**
   * The age up to which an entry is served while a feed that announces its changes (`changeDriven({ toldBy })`) is not
   * followed. A feed that was up to date within this time counts as followed. 0.1 to 2,592,000. Needs `feedAges`.
   * @default none: feeds are not checked
   */
  readonly feedLostMaxAgeSeconds?: number | undefined;
  /** How far the feeds are followed: the `ConsumerLeases` of infra/fleet. @default none */
  readonly feedAges?: FeedAges | undefined;
  /**
   * Where the processes publish and read their counters: the `ProcessReports` of infra/fleet. Its owner closes it,
   * after the cache. @default `DomainCache.metrics()` counts this process alone
   */
  readonly reports?: CounterReports | undefined;
  /**
   * Maximum days that Redis keeps an entry, even one without a TTL, unless hits move a sliding end beyond them.
   * @default 30
   */
  readonly retentionDays?: number;
  /**
   * Maximum bytes of the entries in the embedded store; above it the least recently used are evicted. Stale copies take
   * up to a quarter more. @default 256 MiB
   */
  readonly memoryMaxBytes?: number;
  /**
   * The time of the embedded store in milliseconds, by which entries and leases expire: for tests. @default Date.now
   */
  readonly memoryClock?: () => number;
  /** Keys for sensitive values: the first encrypts, all decrypt. @default none: sensitive values are refused */
  readonly encryptionKeys?: readonly EncryptionKey[];
  /** Entries in this process as well (Redis only): the mode alone, or with the bounds. @default 'strict' */
  readonly l1?: CacheL1Options['mode'] | CacheL1Options;
  /**
   * Refuse values that JSON changes (a `Date`, a `Map`, an object of a class, `NaN`, `undefined` in an array …) with
   * `CACHE_VALUE_NOT_PLAIN`, so that development and tests find the mistake. Otherwise every caller, the first too,
   * receives the JSON form of such a value, and the bucket counts it as `reshaped`. @default false
   */
  readonly shouldRefuseUnplainValues?: boolean;
  /**
   * With Sentinels or a Redis Cluster: what to do while no majority of them confirms, within a second, that the primary
   * of this process is still one. `refuse`: reads go to the source, and nothing is acknowledged. `serve`: the primary
   * is used unless they name another; in a split, its side reads old values for as long as the split lasts.
   * @default 'refuse'
   */
  readonly onSplit?: OnSplit;
  /**
   * For whom reads are made. A fetch that several share is made for one of them, and what it is refused as that caller's
   * (`CallerError`) does not reach the others. While the store is away, their accounts are served in turn.
   * @default all reads have the same caller
   */
  readonly callers?: Callers | undefined;
  /** Default of `waitMs`. @default 30000 */
  readonly waitMs?: number;
  /** Default of `leaseMs`. @default 10000 */
  readonly leaseMs?: number;
  /** Maximum concurrent fetches while the store is away, with the exceptions that `Bypass` names. @default 32 */
  readonly bypassConcurrency?: number;
}

const DAY_MS = 24 * 3600 * 1000;
const L1_MAX_BYTES = 64 * 1024 * 1024;
const MEMORY_MAX_BYTES = 256 * 1024 * 1024;

export interface CreateCacheOptions extends CacheOptions {
  /** The URL of Redis (`redis://` or `rediss://`). The connection is made for this cache and closed with it. */
  readonly redisUrl?: string | undefined;
  /**
   * Maximum time of a command on the connection to `redisUrl`, in milliseconds; then it has failed, and `getOrSet`
   * answers from the source. @default 200
   */
  readonly commandTimeoutMs?: number | undefined;
}

/**
 * The cache without Nest, for scripts, other frameworks and tests: the same `CacheService`. It connects by itself, and
 * calls made meanwhile wait for that, a second at most. `await cache.open()` rejects for a server that must not be
 * used. End it with `close()`.
 */
export function createCache(options: CreateCacheOptions = {}): CacheService {
  const cache = composeCache(options);
  cache.open().catch(() => undefined); // the service keeps the error: `open()` rejects with it, `state()` shows it
  return cache;
}

/**
 * Assembles a cache that is not connected yet (see `CacheService.open`), on a connection of its own if only `redisUrl`
 * says where Redis is. Throws `CACHE_INVALID_OPTION` for bad options.
 */
export function composeCache(options: CreateCacheOptions, afterClose?: () => Promise<void>): CacheService {
  const encryption = options.encryptionKeys?.length ? new Encryption(options.encryptionKeys) : undefined;
  const codec = new ValueCodec(encryption, options.shouldRefuseUnplainValues);
  const own = options.redis ? null : ownConnection(options);
  const redis = options.redis ?? own;
  return new CacheService({
    store: redis ? redisStore(redis, options, codec) : memoryStore(options),
    codec,
    reports: options.reports,
    feeds: changeFeeds(options),
    defaults: {
      waitMs: within('waitMs', options.waitMs ?? 30_000, WAIT_MS),
      leaseMs: within('leaseMs', options.leaseMs ?? 10_000, LEASE_MS),
      safetyTtlSeconds: safetyTtl(options.safetyTtlSeconds),
      callers: options.callers,
    },
    bypassConcurrency: wholeWithin('bypassConcurrency', options.bypassConcurrency ?? 32, [1, 1000]),
    afterClose: async () => {
      own?.disconnect();
      await afterClose?.();
    },
  });
}

/** The client for `redisUrl`, which connects when the store opens; null if there is no URL. */
function ownConnection({ redisUrl, commandTimeoutMs = 200 }: CreateCacheOptions): RedisClient | null {
  return redisUrl ? createRedisClient({ url: redisUrl, commandTimeoutMs }) : null;
}

/** The name if it may begin the keys of an application. Throws `CACHE_INVALID_OPTION` for any other. */
export function checkedAppName(appName = 'evergreen'): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(appName)) return appName;
  throw invalidOption('appName takes 1 to 64 letters, digits, dots, underscores and hyphens');
}

function changeFeeds({ feedLostMaxAgeSeconds: seconds, feedAges }: CacheOptions): ChangeFeeds | undefined {
  if (seconds === undefined) return undefined;
  const maxAgeSeconds = within('feedLostMaxAgeSeconds', seconds, FEED_LOST_SECONDS);
  if (feedAges) return new ChangeFeeds(feedAges, maxAgeSeconds);
  throw invalidOption(
    'feedLostMaxAgeSeconds needs feedAges: give the leases of `createFleet` (infra/fleet), or leave it out',
  );
}

/** Checks the safety TTL; 0 and undefined both mean that there is none. */
function safetyTtl(seconds: number | undefined): number | undefined {
  if (!seconds && !Number.isNaN(seconds)) return undefined;
  ttlMs(seconds); // only checks that it is a TTL
  return seconds;
}

function redisStore(redis: RedisClient, options: CacheOptions, codec: ValueCodec): CacheStore {
  if (!isRedisClient(redis))
    throw invalidOption(
      'redis takes what createRedisClient made; this is something else, or of another copy of ioredis',
    );
  return new RedisCacheStore({
    redis,
    appName: checkedAppName(options.appName),
    partitions: wholeWithin('partitions', options.partitions ?? 1, [1, 1024]),
    retentionMs: Math.ceil(within('retentionDays', options.retentionDays ?? 30, [1, 3650]) * DAY_MS),
    l1: l1Options(options, codec),
    onSplit: onSplit(options.onSplit),
  });
}

function memoryStore({ memoryMaxBytes = MEMORY_MAX_BYTES, memoryClock }: CacheOptions): CacheStore {
  return new MemoryCacheStore({ maxBytes: memoryMaxBytes, ...(memoryClock && { clock: memoryClock }) });
}

function onSplit(given: OnSplit = 'refuse'): OnSplit {
  if (given === 'refuse' || given === 'serve') return given;
  throw invalidOption("onSplit takes 'refuse' or 'serve'");
}

function l1Options({ l1 }: CacheOptions, codec: ValueCodec): L1Options | undefined {
  const given: CacheL1Options = typeof l1 === 'string' ? { mode: l1 } : (l1 ?? {});
  const { mode = 'strict', maxBytes = L1_MAX_BYTES, maxEntries = 50_000, shouldFreeze = false } = given;
  if (mode === 'off') return undefined;
  if (mode !== 'strict' && mode !== 'bounded') throw invalidOption("l1 takes 'strict', 'bounded' or 'off'");
  return {
    mode,
    codec,
    maxBytes: wholeWithin('l1.maxBytes', maxBytes, [1024, 2 ** 34]),
    maxEntries: wholeWithin('l1.maxEntries', maxEntries, [1, 10_000_000]),
    shouldFreeze,
  };
}
