import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import type { Redis } from 'ioredis';
import { record } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const FETCH_MS = 50;

describe('[P22] Redis away', () => {
  let server: RedisServer;
  let cache: CacheService;
  beforeEach(async () => {
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'outage', l1: 'off', bypassConcurrency: 4 });
    await cache.open();
  });
  afterEach(async () => {
    await cache.close();
    await server.stop();
  });

  it('[E18] reads keep answering from the source, and the cache works again after the restart without a restart of ours', async () => {
    const source = new CountingSource('v1');
    await cache.getOrSet('d:k', source.fetch);
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
    source.value = 'v2';
    expect(await cache.getOrSet('d:k', source.fetch)).toBe('v2');
    expect(await cache.get('d:k')).toBeUndefined();
    expect(cache.state().reason).toMatch(/Redis/);
    await server.restart();
    await eventually(() => cache.state().status === 'up');
    source.value = 'v3';
    expect(await cache.getOrSet('d:k', source.fetch)).toBe('v3');
    const fetches = source.fetches;
    expect(await cache.getOrSet('d:k', source.fetch)).toBe('v3');
    expect(source.fetches).toBe(fetches);
  });

  it('[invariant 9] writes and invalidations are not reported as done', async () => {
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
    const refused = { code: 'CACHE_NOT_ACKNOWLEDGED', retryable: true };
    await expect(cache.set('d:k', 1)).rejects.toMatchObject(refused);
    await expect(cache.del('d:k')).rejects.toMatchObject(refused);
    await expect(cache.invalidate(record('Order', '1'))).rejects.toMatchObject(refused);
    await server.restart();
    await eventually(() => cache.state().status === 'up');
    await expect(cache.invalidate(record('Order', '1'))).resolves.toMatchObject({ dropped: 0 });
  });

  it('a Redis that hangs costs a read its time-out, not more, and the value of a build under way reaches its callers', async () => {
    const source = new CountingSource('value');
    source.hold();
    const building = cache.getOrSet('d:building', source.fetch);
    await source.hasBegun(1);
    server.pause();
    const begin = performance.now();
    expect(await cache.getOrSet('d:k', async () => 'from the source')).toBe('from the source');
    expect(performance.now() - begin).toBeLessThan(1000);
    source.letGo();
    expect(await building).toBe('value');
    server.resume();
    await eventually(() => cache.state().status === 'up');
    await eventually(
      async () => (await cache.getOrSet('d:k2', async () => 1)) === 1 && (await cache.get('d:k2')) === 1,
    );
  });

  it('asks the source for at most bypassConcurrency keys at once, and for one key no more often than it must', async () => {
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
    let running = 0;
    let most = 0;
    const counted = async () => {
      most = Math.max(most, ++running);
      await elapse(FETCH_MS);
      running--;
      return 'value';
    };
    await Promise.all(Array.from({ length: 40 }, (_, i) => cache.getOrSet(`d:${i}`, counted)));
    expect(most).toBe(4);
    const source = new CountingSource('value');
    await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('d:hot', source.fetch)));
    expect(source.fetches).toBe(1);
  });

  it('[invariant 4] without the store nobody joins a fetch that began before they came', async () => {
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
    const source = new CountingSource('old');
    source.hold();
    const early = cache.getOrSet('d:k', source.fetch);
    await source.hasBegun(1);
    source.value = 'new';
    const late = cache.getOrSet('d:k', source.fetch);
    await source.hasBegun(2);
    source.letGo();
    expect(await Promise.all([early, late])).toEqual(['old', 'new']);
  });

  it('a lease whose grant was lost with its connection is given back at the next one', async () => {
    const redis = createRedisClient({ url: server.url });
    const store = new RedisCacheStore({ redis, appName: 'orphans' });
    await store.open();
    const begin = (leaseId: string) => store.begin({ key: 'd:k', leaseId, leaseMs: 60_000, known: [] });
    const lost = begin('lost');
    (redis as Redis).stream.pause(); // the request goes out, but its answer is not read
    await eventually(async () => (await cache.status('d:k')) === 'empty'); // the server has had time to carry it out
    (redis as Redis).disconnect(true);
    await expect(lost).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE' });
    const isGranted = () =>
      begin('next').then(
        ({ kind }) => kind === 'lease',
        () => false, // until it is connected again
      );
    await eventually(isGranted, { what: 'nobody holds the lease' });
    await store.close();
    redis.disconnect();
  });

  it('refuses a Redis that may evict the index, and says what to set', async () => {
    const evicting = await startRedisServer({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    const refused = createCache({ redisUrl: evicting.url });
    await expect(refused.open()).rejects.toMatchObject({
      code: 'CACHE_STORE_UNSUITABLE',
      message: expect.stringMatching(/noeviction/),
    });
    expect(refused.state()).toMatchObject({ status: 'down' });
    await refused.close();
    await evicting.stop();
  });
});
