import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const CONCURRENCY = 4;

describe('[P22] Redis away, and a source that hangs', () => {
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

  it('a caller that finds every place taken waits no longer than its waitMs, which does not bound its own fetch', async () => {
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

describe('[B3] Redis away, and fetchers that read other keys', () => {
  let server: RedisServer;
  let cache: CacheService;
  const running = { now: 0, most: 0 };
  const source = async (value: string) => {
    running.most = Math.max(running.most, ++running.now);
    await elapse(20);
    running.now--;
    return value;
  };
  /** Reads a key whose fetch reads `width` keys below it at the same time, and so on for each further depth. */
  const read = async (key: string, [width = 0, ...below]: readonly number[]): Promise<string> =>
    cache.getOrSet(
      key,
      async () => {
        const parts = Array.from({ length: width }, (_, i) => read(`${key}.${i}`, below));
        return [await source(key), ...(await Promise.all(parts))].join(' ');
      },
      { waitMs: 5000 },
    );

  beforeEach(async () => {
    Object.assign(running, { now: 0, most: 0 });
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'nested', l1: 'off', bypassConcurrency: CONCURRENCY });
    await cache.open();
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
  });
  afterEach(async () => {
    await cache.close();
    await server.stop();
  });

  it.each([
    ['each reads another', [1]],
    ['each reads three at once', [3]],
    ['each reads some that read some, that read one', [2, 2, 1]],
  ])('no caller waits for its own place: %s', async (_, shape) => {
    const callers = Array.from({ length: 3 * CONCURRENCY }, (__, i) => read(`d:${i}`, shape));
    const answers = await Promise.all(callers);
    answers.forEach((answer, i) => expect(answer.startsWith(`d:${i} d:${i}.0`)).toBe(true));
    expect(running.most).toBeLessThanOrEqual(CONCURRENCY * (shape.length + 1)); // CONCURRENCY at each depth
  });

  it('nor for the place of another caller, which asked for the same key before', async () => {
    const inner = () => cache.getOrSet('d:shared', () => source('inner'), { waitMs: 5000 });
    let letGo!: () => void;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    let begun = 0;
    const outer = Array.from({ length: CONCURRENCY }, (_, i) =>
      cache.getOrSet(`d:${i}`, async () => {
        begun++;
        await gate;
        return inner();
      }),
    );
    await eventually(() => begun === CONCURRENCY, { what: 'every place is taken' });
    const outsider = inner(); // waits for a place, and the others join it
    letGo();
    expect(await Promise.all([...outer, outsider])).toEqual(Array(CONCURRENCY + 1).fill('inner'));
  });
});
