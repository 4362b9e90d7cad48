import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import type { StoreFactory, StoreSettings, StoreUnderTest } from './store-under-test.js';

/**
 * Keys that remain for good, each of bounded size: the application's layout, and the gate, the metadata and the window
 * of invalidations of each partition.
 */
const LASTING = /(:(g|m|iv|tz)|\.layout})$/;

/** A connection as the product makes it, ready for use, but with a long timeout, because tests share the machine. */
export async function connectRedis(server: { readonly url: string }): Promise<RedisClient> {
  const redis = createRedisClient({ url: server.url, commandTimeoutMs: 5_000 });
  await redis.connect();
  return redis;
}

/**
 * Makes pairs of stores on this Redis, alone or the primary of others. Each pair has keys of its own, which stay there
 * after it is closed: use a Redis for tests.
 */
export function redisStores({
  url,
  partitions = 1,
}: {
  readonly url: string;
  readonly partitions?: number;
}): StoreFactory {
  return (settings) => createRedisStores({ url }, partitions, settings);
}

/** Two stores of one application on this server, each with its own connection, as in two processes. */
export async function createRedisStores(
  server: { readonly url: string },
  partitions: number,
  settings: StoreSettings = {},
): Promise<StoreUnderTest> {
  const appName = `contract-${randomUUID()}`;
  const connections = [await connectRedis(server), await connectRedis(server)] as const;
  const [store, other] = connections.map(
    (redis) => new RedisCacheStore({ redis, appName, partitions, retentionMs: 3_600_000, ...settings }),
  ) as [RedisCacheStore, RedisCacheStore];
  await Promise.all([store.open(), other.open()]);
  return {
    store,
    other,
    countIndexKeys: async () => (await keysOf(connections[0], appName)).filter((key) => !LASTING.test(key)).length,
    close: async () => {
      await Promise.all([store.close(), other.close()]);
      for (const redis of connections) {
        if (redis.status === 'ready') await redis.quit();
        else redis.disconnect();
      }
    },
  };
}

async function keysOf(redis: RedisClient, appName: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of (redis as Redis).scanStream({ match: `{${appName}.*`, count: 1_000 }))
    keys.push(...(page as string[]));
  return keys;
}
