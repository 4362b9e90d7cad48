import { describe, expect, it } from '@jest/globals';
import type { RedisClient } from '../redis/redis-client.js';
import { createCache } from './create-cache.js';

describe('the options of a cache', () => {
  it.each([
    [
      'redis, of another copy of ioredis',
      { redis: { options: {}, status: 'ready' } as unknown as RedisClient },
      'createRedisClient',
    ],
    ['redis, an address', { redis: 'redis://127.0.0.1' as unknown as RedisClient }, 'createRedisClient'],
    ['appName', { appName: 'a b', redisUrl: 'redis://127.0.0.1:1' }, 'appName takes'],
    ['l1', { l1: 'srtict' as never, redisUrl: 'redis://127.0.0.1:1' }, "'strict', 'bounded' or 'off'"],
    ['l1.maxEntries', { l1: { maxEntries: 0 }, redisUrl: 'redis://127.0.0.1:1' }, 'l1.maxEntries'],
    ['waitMs', { waitMs: -1 }, 'waitMs'],
    ['bypassConcurrency', { bypassConcurrency: 0 }, 'bypassConcurrency'],
  ])('refuse a wrong %s, and say what it takes', (_, options, said) => {
    expect(() => createCache(options)).toThrow(
      expect.objectContaining({ code: 'CACHE_INVALID_OPTION', message: expect.stringContaining(said) }),
    );
  });

  it('set the clock by which entries of the embedded store expire', async () => {
    let now = 1_000_000;
    const cache = createCache({ memoryClock: () => now });
    await cache.set('d:k', 1, { ttlSeconds: 60 });
    now += 59_999;
    const before = await cache.get('d:k');
    now += 1;
    expect([before, await cache.get('d:k')]).toEqual([1, undefined]);
    await cache.close();
  });
});
