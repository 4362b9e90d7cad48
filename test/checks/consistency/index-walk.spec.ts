import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { membership, record } from '@bff/infra/cache/dependencies';
import { Redis } from 'ioredis';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { walkIndex } from './index-walk.js';

const APP_NAME = 'walked';
const TAG = `{${APP_NAME}.v2.P1:0}`;

describe('the walk over the index', () => {
  let server: RedisServer;
  let redis: Redis;
  let cache: CacheService;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    // Without L1: otherwise a test would read from this process's L1 what the test before has deleted in Redis.
    cache = createCache({ redisUrl: server.url, appName: APP_NAME, commandTimeoutMs: 5000, l1: 'off' });
    await cache.open();
  });
  afterEach(() => redis.flushall());
  afterAll(async () => {
    await cache.close();
    redis.disconnect();
    await server.stop();
  });

  const fill = async () => {
    await cache.invalidate(record('Order', '0')); // the previous test has emptied Redis: a new history begins
    const dependsOn = [record('Order', '1'), membership('Order')];
    await cache.getOrSet('orders:1', async () => 'one', { dependsOn });
    await cache.getOrSet('orders:2', async () => 'two', { dependsOn, ttlSeconds: 60 });
  };
  const faults = async () => (await walkIndex([redis], APP_NAME, 10_000)).faults;

  it('finds nothing where every trace belongs to an entry, and where there is nothing', async () => {
    expect(await faults()).toEqual([]);
    await fill();
    await cache.invalidate(record('Order', '2'));
    expect(await walkIndex([redis], APP_NAME, 10_000)).toMatchObject({ faults: [], entries: 2, unknown: [] });
  });

  it('finds the traces of an entry that is gone', async () => {
    await fill();
    await redis.del(`${TAG}:e:orders:2`);
    const found = await faults();
    for (const place of [':x:r:Order:1', ':x:t:Order', ':d', ':ut'])
      expect(found).toContainEqual(
        expect.stringContaining(`${TAG}${place} names orders:2, of which there is no entry`),
      );
  });

  it('finds an entry that an invalidation would not find', async () => {
    await fill();
    await redis.zrem(`${TAG}:x:r:Order:1`, 'orders:1');
    expect(await faults()).toEqual([expect.stringContaining('STALENESS AHEAD')]);
    await redis.hdel(`${TAG}:d`, 'orders:1');
    expect(await faults()).toContainEqual(`the entry orders:1 is missing in ${TAG}:d`);
  });

  it('finds an index that names an entry which does not depend on it, leases, unswept dependencies and a wide window', async () => {
    await fill();
    await redis.zadd(`${TAG}:x:r:Other:9`, 1, 'orders:1');
    await redis.set(`${TAG}:l:orders:9`, 'x|1');
    await redis.zadd(`${TAG}:un`, 1, 'r:Order:1');
    await redis.zadd(`${TAG}:iv`, ...Array.from({ length: 20 }, (_, i) => [i, `r:X:${i}`]).flat());
    const found = (await walkIndex([redis], APP_NAME, 10)).faults;
    for (const part of ['which does not depend on it', 'the lease', 'unswept', 'more than its window of 10'])
      expect(found).toContainEqual(expect.stringContaining(part));
  });

  it('finds an entry from before the read floor', async () => {
    await fill();
    const [clock = '', , unswept = '', tip = ''] = ((await redis.get(`${TAG}:g`)) ?? '').split(' ');
    await redis.set(`${TAG}:g`, [clock, String(Number(clock) + 1), unswept, tip].join(' '));
    expect(await faults()).toContainEqual(expect.stringContaining('can not be served'));
  });

  it('names kinds of keys that it does not know', async () => {
    await redis.set(`${TAG}:zz:new`, '1');
    expect((await walkIndex([redis], APP_NAME, 10)).unknown).toEqual([':zz:new']);
  });
});
