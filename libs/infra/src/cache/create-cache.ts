import type { CacheService } from './cache.service.js';
import { composeCache, type CacheOptions } from './compose-cache.js';
import { createRedisClient } from '../redis/redis-client.js';

export interface CreateCacheOptions extends CacheOptions {
  /** The URL of Redis (`redis://` or `rediss://`). The connection is made for this cache and closed with it. */
  readonly redisUrl?: string;
  /** Maximum time of a command, in milliseconds; then the source answers instead. @default 200 */
  readonly commandTimeoutMs?: number;
}

/**
 * The cache without Nest, for scripts, other frameworks and tests: the same `CacheService`. It connects by itself, and
 * calls made meanwhile wait for that. `await cache.open()` rejects for a server that must not be used. End it with
 * `close()`.
 */
export function createCache(options: CreateCacheOptions = {}): CacheService {
  const own = options.redisUrl
    ? createRedisClient({ url: options.redisUrl, commandTimeoutMs: options.commandTimeoutMs ?? 200 })
    : null;
  const { cache } = composeCache({ ...options, redis: options.redis ?? own }, async () => own?.disconnect());
  cache.open().catch(() => undefined); // the service keeps the error: `open()` rejects with it, `state()` shows it
  return cache;
}
