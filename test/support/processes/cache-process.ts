import { createCache, type CreateCacheOptions } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import type { CacheRequest, CacheResponse } from './cache-process.messages.js';

/**
 * A process with its own cache, driven by its parent's messages. Its source of truth is the string `source:<key>` in
 * the Redis at `sourceUrl`. Each fetch counts itself in `fetches:<key>`, reads the source, sends `fetching`, and then
 * waits for `fetchMs`.
 */
const [, , sourceUrl = '', connection = '{}', cacheOptions = '{}'] = process.argv;
const cache = createCache({
  redis: createRedisClient({
    url: connection === '{}' ? sourceUrl : undefined,
    commandTimeoutMs: 5000,
    ...(JSON.parse(connection) as RedisConnectionOptions),
  }),
  ...(JSON.parse(cacheOptions) as CreateCacheOptions),
});
const source = new Redis(sourceUrl);
source.on('error', () => undefined); // a test may stop the server
await cache.open();

function send(response: CacheResponse): void {
  process.send?.(response);
}

/**
 * Increments a counter `times` times at once, each time under the lock of the key; resolves with the count after each.
 */
function increment(key: string, times: number): Promise<number[]> {
  const one = () =>
    cache.withLock<number, number>(key, async (lock) => {
      const count = (lock.value ?? 0) + 1;
      if (!(await lock.write(count))) throw new Error('the lock was lost');
      return count;
    });
  return Promise.all(Array.from({ length: times }, one));
}

async function handle(request: CacheRequest): Promise<unknown> {
  const { key } = request;
  if (request.operation === 'get') return cache.get(key);
  if (request.operation === 'invalidate') return cache.invalidate(record('Source', key));
  if (request.operation === 'increment') return increment(key, request.times);
  const { callers, fetchMs, leaseMs } = request;
  const fetch = async () => {
    await source.incr(`fetches:${key}`);
    const value = await source.get(`source:${key}`);
    send({ kind: 'fetching', key });
    await new Promise((resolve) => setTimeout(resolve, fetchMs));
    return value;
  };
  const options = { dependsOn: [record('Source', key)], leaseMs };
  return Promise.all(Array.from({ length: callers }, () => cache.getOrSet(key, fetch, options)));
}

process.on('message', (request: CacheRequest) => {
  handle(request).then(
    (result) => send({ kind: 'result', id: request.id, result }),
    (error: unknown) => send({ kind: 'error', id: request.id, message: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
send({ kind: 'ready' });
