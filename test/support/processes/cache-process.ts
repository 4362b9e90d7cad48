import { createCache, type CreateCacheOptions } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import type { CacheRequest, CacheResponse } from './cache-process.messages.js';
import { monotonicMs, WideReader } from './wide-reader.js';

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

const wideReaders = new Map<string, WideReader>();
/** The reader of the entries that all depend on this record. */
function wide(key: string): WideReader {
  const reader = wideReaders.get(key) ?? new WideReader(cache, source, key);
  wideReaders.set(key, reader);
  return reader;
}

/** Resolves with the instant of the acknowledgement, and how long it took. */
async function invalidate(key: string): Promise<{ readonly at: number; readonly ms: number }> {
  const begin = monotonicMs();
  await cache.invalidate(record('Source', key));
  const at = monotonicMs();
  return { at, ms: at - begin };
}

async function handle(request: CacheRequest): Promise<unknown> {
  const { key } = request;
  if (request.operation === 'get') return cache.get(key);
  if (request.operation === 'invalidate') return invalidate(key);
  if (request.operation === 'increment') return increment(key, request.times);
  if (request.operation === 'fill') return wide(key).fill(request.count);
  if (request.operation === 'entries') return wide(key).entries();
  if (request.operation === 'watch') return wide(key).watch(request.count, request.old);
  if (request.operation === 'watched') return wide(key).watched();
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
