import { randomUUID } from 'node:crypto';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache, type CreateCacheOptions } from '@bff/infra/cache/create-cache';
import { startRedisServer, type RedisServer } from '../redis/redis-server.js';

/**
 * How a test makes its caches. If `isShared`, all caches since the last `reset` use the same store, each as if it were
 * in a process of its own; otherwise each has its own store.
 */
export interface CacheFixture {
  readonly name: string;
  /** Whether several caches can share the store. */
  readonly isShared: boolean;
  setUp(): Promise<void>;
  tearDown(): Promise<void>;
  /** Gives the caches that are made later an empty store. */
  reset(): void;
  create(options?: CreateCacheOptions): CacheService;
  closeAll(): Promise<void>;
}

export function memoryFixture(): CacheFixture {
  const caches: CacheService[] = [];
  return {
    name: 'memory',
    isShared: false,
    setUp: async () => undefined,
    tearDown: async () => undefined,
    reset: () => undefined,
    create: (options) => track(caches, createCache({ ...options })),
    closeAll: () => closeAll(caches),
  };
}

export function redisFixture(partitions: number, l1: 'off' | 'strict' = 'off'): CacheFixture {
  const caches: CacheService[] = [];
  let server: RedisServer;
  let appName = '';
  return {
    name: `redis, ${partitions} partition(s), L1 ${l1}`,
    isShared: true,
    setUp: async () => void (server = await startRedisServer()),
    tearDown: () => server.stop(),
    reset: () => void (appName = `t${randomUUID().slice(0, 8)}`),
    create: (options) =>
      track(caches, createCache({ redisUrl: server.url, appName, partitions, commandTimeoutMs: 5000, l1, ...options })),
    closeAll: () => closeAll(caches),
  };
}

function track(caches: CacheService[], cache: CacheService): CacheService {
  caches.push(cache);
  return cache;
}

async function closeAll(caches: CacheService[]): Promise<void> {
  await Promise.all(caches.splice(0).map((cache) => cache.close()));
}
