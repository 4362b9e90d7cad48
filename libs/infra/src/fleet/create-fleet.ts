import { randomUUID } from 'node:crypto';
import { checkedAppName } from '../cache/create-cache.js';
import type { RedisClient } from '../redis/redis-client.js';
import type { Checkpoints } from './checkpoints.js';
import type { ConsumerLeases } from './consumer-leases.js';
import { MemoryCheckpoints } from './memory/memory-checkpoints.js';
import { MemoryConsumerLeases } from './memory/memory-consumer-leases.js';
import { MemoryProcessReports } from './memory/memory-process-reports.js';
import type { ProcessReports } from './process-reports.js';
import { RedisCheckpoints } from './redis/redis-checkpoints.js';
import { RedisConsumerLeases } from './redis/redis-consumer-leases.js';
import { RedisProcessReports } from './redis/redis-process-reports.js';

/**
 * The Redis and the name through which the processes of an application share data. Give the cache the same ones, so that
 * entries and the saved position go back together if Redis does: with old entries and a newer position, the events in
 * between would not come again.
 */
export interface FleetOptions {
  /** The connection for commands, made by `createRedisClient`. null: this process is alone. @default null */
  readonly redis?: RedisClient | null;
  /** Prefix of every key, as in `CacheOptions`. @default 'evergreen' */
  readonly appName?: string;
}

/** What the processes of an application share beside the entries of the cache. */
export interface Fleet {
  readonly checkpoints: Checkpoints;
  readonly leases: ConsumerLeases;
  /** Close them after the cache and before the connection to Redis. */
  readonly reports: ProcessReports;
}

/** The fleet without Nest. Throws `CACHE_INVALID_OPTION` for an unusable `appName`. */
export function createFleet({ redis = null, appName }: FleetOptions = {}): Fleet {
  const name = checkedAppName(appName);
  if (redis) {
    return {
      checkpoints: new RedisCheckpoints(redis, name),
      leases: new RedisConsumerLeases(redis, name),
      reports: new RedisProcessReports(redis, name, randomUUID()),
    };
  }
  const leases = new MemoryConsumerLeases();
  return { checkpoints: new MemoryCheckpoints(leases), leases, reports: new MemoryProcessReports() };
}
