import { randomUUID } from 'node:crypto';
import type { OnSplit } from '../redis/primary-vouch.js';
import type { RedisClient } from '../redis/redis-client.js';
import { CacheError } from './cache.errors.js';
import { CacheService } from './cache.service.js';
import type { Checkpoints } from '../fleet/checkpoints.js';
import type { ConsumerLeases } from '../fleet/consumer-leases.js';
import type { ProcessReports } from '../fleet/process-reports.js';
import { ChangeFeeds } from './feeds/change-feeds.js';
import { FEED_LOST_SECONDS, LEASE_MS, ttlMs, WAIT_MS, wholeWithin, within } from './protocol/limits.js';
import type { CacheStore } from './protocol/cache-store.js';
import { MemoryCacheStore } from './store/memory/memory-cache-store.js';
import { MemoryCheckpoints } from '../fleet/memory/memory-checkpoints.js';
import { MemoryConsumerLeases } from '../fleet/memory/memory-consumer-leases.js';
import { MemoryProcessReports } from '../fleet/memory/memory-process-reports.js';
import { RedisCacheStore } from './store/redis/redis-cache-store.js';
import type { L1Mode, L1Options } from './store/redis/l1/redis-l1.js';
import { RedisCheckpoints } from '../fleet/redis/redis-checkpoints.js';
import { RedisConsumerLeases } from '../fleet/redis/redis-consumer-leases.js';
import { RedisProcessReports } from '../fleet/redis/redis-process-reports.js';
import { Encryption, type EncryptionKey } from './protocol/encryption.js';
import { ValueCodec } from './protocol/value-codec.js';

/** The options of a cache. Every field is optional, and every default is safe. */
export interface CacheOptions {
  /**
   * A connection for commands, made by `createRedisClient`. null: the embedded store, in this process only.
   * @default null
   */
  readonly redis?: RedisClient | null;
  /**
   * Prefix of every key: applications with different names share nothing. Letters, digits, `.`, `_`, `-`.
   * @default 'evergreen'
   */
  readonly appName?: string;
  /**
   * Slices of the key space, the same number in every process: 4 to 8 for each master of a cluster, else 1. @default 1
   */
  readonly partitions?: number;
  /** Seconds after which an entry without a TTL ends nevertheless. @default none */
  readonly safetyTtlSeconds?: number;
  /**
   * The age up to which an entry is served while a feed that announces its changes (`changeDriven({ toldBy })`) is not
   * followed. A feed that was up to date within this time counts as followed. 0.1 to 2,592,000. @default none: feeds
   * are not checked
   */
  readonly feedLostMaxAgeSeconds?: number | undefined;
  /** Days that Redis keeps an entry without a TTL. @default 30 */
  readonly retentionDays?: number;
  /** Bytes of the entries in the embedded store; above it the least recently used are evicted. @default 256 MiB */
  readonly memoryMaxBytes?: number;
  /** Keys for sensitive values: the first encrypts, all decrypt. @default none: sensitive values are refused */
  readonly encryptionKeys?: readonly EncryptionKey[];
  /**
   * Keep entries in this process as well (L1, Redis only). `strict`: an invalidation is acknowledged when no L1 can
   * serve what it dropped, after a second at the latest. `bounded`: it is acknowledged at once, and an L1 may serve the
   * old value for up to a second. All processes of an application use the same mode. @default 'strict'
   */
  readonly l1?: 'off' | L1Mode;
  /**
   * Bytes of the L1: stored values and an estimate for their overhead; the objects take two to three times as much.
   * @default 64 MiB
   */
  readonly l1MaxBytes?: number;
  /** Maximum entries in the L1. @default 50000 */
  readonly l1MaxEntries?: number;
  /** Freeze the values of the L1, so that a caller that changes one is caught. @default false */
  readonly shouldFreezeLocalValues?: boolean;
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
  /** Default of `waitMs`. @default 30000 */
  readonly waitMs?: number;
  /** Default of `leaseMs`. @default 10000 */
  readonly leaseMs?: number;
  /** Maximum concurrent fetches while the store is away. @default 32 */
  readonly bypassConcurrency?: number;
}

/** The cache, and what the store keeps beside its entries. */
export interface CacheParts {
  readonly cache: CacheService;
  readonly checkpoints: Checkpoints;
  readonly leases: ConsumerLeases;
  readonly reports: ProcessReports;
}

const DAY_MS = 24 * 3600 * 1000;
const L1_MAX_BYTES = 64 * 1024 * 1024;
const MEMORY_MAX_BYTES = 256 * 1024 * 1024;

/**
 * Assembles a cache that is not connected yet (see `CacheService.open`). Throws `CACHE_INVALID_OPTION` for bad options.
 */
export function composeCache(options: CacheOptions, afterClose?: () => Promise<void>): CacheParts {
  const encryption = options.encryptionKeys?.length ? new Encryption(options.encryptionKeys) : undefined;
  const codec = new ValueCodec(encryption, options.shouldRefuseUnplainValues);
  const { store, checkpoints, leases, reports } = options.redis
    ? onRedis(options.redis, options, codec)
    : embedded(options);
  const cache = new CacheService({
    store,
    codec,
    reports,
    feeds: changeFeeds(leases, options.feedLostMaxAgeSeconds),
    defaults: {
      waitMs: within('waitMs', options.waitMs ?? 30_000, WAIT_MS),
      leaseMs: within('leaseMs', options.leaseMs ?? 10_000, LEASE_MS),
      safetyTtlSeconds: safetyTtl(options.safetyTtlSeconds),
    },
    bypassConcurrency: wholeWithin('bypassConcurrency', options.bypassConcurrency ?? 32, [1, 1000]),
    ...(afterClose && { afterClose }),
  });
  return { cache, checkpoints, leases, reports };
}

function changeFeeds(leases: ConsumerLeases, seconds: number | undefined): ChangeFeeds | undefined {
  if (seconds === undefined) return undefined;
  return new ChangeFeeds(leases, within('feedLostMaxAgeSeconds', seconds, FEED_LOST_SECONDS));
}

/** 0 and undefined both mean none. */
function safetyTtl(seconds: number | undefined): number | undefined {
  if (!seconds && !Number.isNaN(seconds)) return undefined;
  ttlMs(seconds); // only checks that it is a TTL
  return seconds;
}

interface StoreParts {
  readonly store: CacheStore;
  readonly checkpoints: Checkpoints;
  readonly leases: ConsumerLeases;
  readonly reports: ProcessReports;
}

function onRedis(redis: RedisClient, options: CacheOptions, codec: ValueCodec): StoreParts {
  const appName = options.appName ?? 'evergreen';
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(appName)) {
    throw new CacheError(
      'CACHE_INVALID_OPTION',
      'appName takes 1 to 64 letters, digits, dots, underscores and hyphens',
      false,
    );
  }
  return {
    store: new RedisCacheStore({
      redis,
      appName,
      partitions: wholeWithin('partitions', options.partitions ?? 1, [1, 1024]),
      retentionMs: Math.ceil(within('retentionDays', options.retentionDays ?? 30, [1, 3650]) * DAY_MS),
      l1: l1Options(options, codec),
      onSplit: onSplit(options.onSplit),
    }),
    checkpoints: new RedisCheckpoints(redis, appName),
    leases: new RedisConsumerLeases(redis, appName),
    reports: new RedisProcessReports(redis, appName, randomUUID()),
  };
}

function onSplit(given: OnSplit = 'refuse'): OnSplit {
  if (given === 'refuse' || given === 'serve') return given;
  throw new CacheError('CACHE_INVALID_OPTION', "onSplit takes 'refuse' or 'serve'", false);
}

function l1Options(options: CacheOptions, codec: ValueCodec): L1Options | undefined {
  const { l1 = 'strict', l1MaxBytes = L1_MAX_BYTES, l1MaxEntries = 50_000, shouldFreezeLocalValues = false } = options;
  if (l1 === 'off') return undefined;
  return {
    mode: l1,
    codec,
    maxBytes: wholeWithin('l1MaxBytes', l1MaxBytes, [1024, 2 ** 34]),
    maxEntries: wholeWithin('l1MaxEntries', l1MaxEntries, [1, 10_000_000]),
    shouldFreeze: shouldFreezeLocalValues,
  };
}

function embedded(options: CacheOptions): StoreParts {
  const leases = new MemoryConsumerLeases();
  return {
    store: new MemoryCacheStore({ maxBytes: options.memoryMaxBytes ?? MEMORY_MAX_BYTES }),
    checkpoints: new MemoryCheckpoints(leases),
    leases,
    reports: new MemoryProcessReports(),
  };
}
