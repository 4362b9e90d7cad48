import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { CountingSource } from '../../support/counting-source.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

const CONCURRENCY = 4;

describe('P22: Redis away, and a source that hangs', () => {
  let server: RedisServer;
  let cache: CacheService;
  let hanging: CountingSource<string>;
  let own: Promise<PromiseSettledResult<string>[]>;

  beforeEach(async () => {
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'bounds', l1: 'off', bypassConcurrency: CONCURRENCY });
    await cache.open();
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
    hanging = new CountingSource('late');
    hanging.hold();
    const calls = Array.from({ length: CONCURRENCY }, (_, i) => cache.getOrSet(`d:${i}`, hanging.fetch, { waitMs: 0 }));
    own = Promise.allSettled(calls);
    await hanging.hasBegun(CONCURRENCY);
  });
  afterEach(async () => {
    hanging.letGo();
    await cache.close();
    await server.stop();
  });

  it('whoever finds every place taken waits no longer than he has patience, and a fetch of his own is not bounded by it', async () => {
    const queued = cache.getOrSet('d:queued', hanging.fetch, { waitMs: 100 });
    await expect(queued).rejects.toMatchObject({ code: 'CACHE_WAIT_TIMEOUT', retryable: true });
    expect(hanging.fetches).toBe(CONCURRENCY);
    hanging.letGo();
    expect(await own).toEqual(Array(CONCURRENCY).fill({ status: 'fulfilled', value: 'late' }));
    expect(await cache.getOrSet('d:queued', async () => 'next', { waitMs: 0 })).toBe('next');
  });

  it('a close answers those who wait for a place, at once', async () => {
    const queued = cache.getOrSet('d:queued', hanging.fetch);
    const closed = cache.close();
    await expect(queued).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
    await closed;
    expect(hanging.fetches).toBe(CONCURRENCY);
  });
});
