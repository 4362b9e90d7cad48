import type { CacheService } from './cache.service.js';
import { composeCache, type CacheOptions } from './compose-cache.js';
import { createRedisClient } from '../redis/redis-client.js';

export interface CreateCacheOptions extends CacheOptions {
  /** Where Redis is (`redis://` or `rediss://`); the connection is made for this cache and closed with it. */
  readonly redisUrl?: string;
  /** How long a command may take, in milliseconds, before the source answers instead. @default 200 */
  readonly commandTimeoutMs?: number;
}

/**
 * The cache without Nest, for scripts, other frameworks and tests: the same `CacheService`. It connects by itself; calls
 * made meanwhile wait for that. `await cache.open()` to be told of a server that must not be used. End it with `close()`.
 */
export function createCache(options: CreateCacheOptions = {}): CacheService {
  const own = options.redisUrl
    ? createRedisClient({ url: options.redisUrl, commandTimeoutMs: options.commandTimeoutMs ?? 200 })
    : null;
  const { cache } = composeCache({ ...options, redis: options.redis ?? own }, async () => own?.disconnect());
  cache.open().catch(() => undefined); // kept by the service: `open()` rejects with it, `state()` shows it
  return cache;
}
