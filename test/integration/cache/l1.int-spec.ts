import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../../support/counting-source.js';
import { eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';

describe('the L1 of two processes over one Redis', () => {
  const redis = useRedis();
  let a: CacheService;
  let b: CacheService;
  let app = 0;
  beforeEach(async () => {
    app += 1;
    const options = { redisUrl: redis.server.url, appName: `l1-${app}`, l1: 'strict', commandTimeoutMs: 5000 } as const;
    [a, b] = [createCache(options), createCache({ ...options, l1: { mode: 'strict', shouldFreeze: true } })];
    await Promise.all([a.open(), b.open()]);
  });
  afterEach(() => Promise.all([a.close(), b.close()]));

  const reads = async () => {
    const stats = await redis.admin.info('commandstats');
    return (
      Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0) +
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    );
  };
  /** Reads until a read no longer asks Redis. It tries repeatedly, because a beat during a read is counted, too. */
  const isInL1 = (cache: CacheService, key: string) =>
    eventually(
      async () => {
        const before = await reads();
        await cache.get(key);
        return (await reads()) === before;
      },
      { what: `an L1 hit of ${key}` },
    );

  it('[J15] is filled by a read, and emptied when another process deletes, invalidates or writes', async () => {
    const source = new CountingSource('v1', [record('Order', '1')]);
    for (const end of [
      () => b.del('orders:1'),
      () => b.invalidate(record('Order', '1')),
      () => b.set('orders:1', source.value),
    ]) {
      expect(await a.getOrSet('orders:1', source.fetch)).toBe(source.value);
      await isInL1(a, 'orders:1');
      source.value += '+';
      await end();
      expect(await a.getOrSet('orders:1', source.fetch)).toBe(source.value);
    }
  });

  it('tells how much it holds', async () => {
    const source = new CountingSource('value');
    await a.getOrSet('orders:1', source.fetch);
    await isInL1(a, 'orders:1');
    const { l1 } = a.state();
    expect(l1).toEqual({ mode: 'strict', entries: 1, bytes: expect.any(Number) });
    expect(l1?.bytes).toBeGreaterThan('value'.length);
    expect(b.state().l1).toEqual({ mode: 'strict', entries: 0, bytes: 0 });
  });

  it('[E17] shows the writer what it wrote at once, and every other process too, when the call has returned', async () => {
    for (let round = 0; round < 20; round++) {
      await a.set('mapping:1', round);
      expect([await a.get('mapping:1'), await b.get('mapping:1')]).toEqual([round, round]);
    }
  });

  it('[E19] [J15] keeps what a hit of Redis brought for the rest of its time only', async () => {
    const fetched = performance.now();
    await a.getOrSet('whmcs:1', async () => 'v', 1.2);
    await eventually(() => performance.now() - fetched > 700);
    expect(await b.get('whmcs:1')).toBe('v'); // from Redis, with half a second left
    await isInL1(b, 'whmcs:1');
    await eventually(async () => (await b.get('whmcs:1')) === undefined);
    expect(performance.now() - fetched).toBeLessThan(1200 + 400); // not 1.2 s after it was read
    expect(await a.get('whmcs:1')).toBeUndefined();
  });

  it('[E27] [P24] [E1] holds null, false, 0, empty texts, arrays and objects like any other value', async () => {
    const values = [null, false, 0, '', [], [null], {}, { a: [1, { b: null }] }];
    for (const [i, value] of values.entries()) {
      const source = new CountingSource<unknown>(value);
      for (const cache of [a, b, a, b]) expect(await cache.getOrSet(`falsy:${i}`, source.fetch)).toEqual(value);
      await isInL1(b, `falsy:${i}`);
      expect(await b.getOrSet(`falsy:${i}`, source.fetch)).toEqual(value);
      expect(source.fetches).toBe(1);
    }
  });

  it('[J9] answers each caller once, with the value or with the error, and never with both', async () => {
    const outcomes: string[] = [];
    const ask = (key: string, fetch: () => Promise<string>) =>
      a.getOrSet(key, fetch).then(
        (value) => outcomes.push(`${key} ${value}`),
        (error: Error) => outcomes.push(`${key} ${error.message}`),
      );
    const failing = async () => Promise.reject(new Error('no'));
    await Promise.all([1, 2, 3].flatMap(() => [ask('j9:good', async () => 'yes'), ask('j9:bad', failing)]));
    expect(outcomes.sort()).toEqual([...Array(3).fill('j9:bad no'), ...Array(3).fill('j9:good yes')]);
  });

  it('[J15] serves nothing old while its subscription fails again and again', async () => {
    const killer = setInterval(() => void redis.admin.client('KILL', 'TYPE', 'pubsub').catch(() => undefined), 20);
    try {
      const source = new CountingSource(0, [record('Order', '1')]);
      for (let round = 1; round <= 5; round++) {
        await a.getOrSet('orders:1', source.fetch);
        source.value = round;
        await b.invalidate(record('Order', '1'));
        expect(await a.getOrSet('orders:1', source.fetch)).toBe(round);
      }
    } finally {
      clearInterval(killer);
    }
  }, 30_000);

  it('catches a caller that changes what others share, where values are frozen', async () => {
    await b.getOrSet('orders:1', async () => ({ items: [1] }));
    await isInL1(b, 'orders:1');
    const shared = await b.get<{ items: number[] }>('orders:1');
    expect(() => shared?.items.push(2)).toThrow(TypeError);
  });
});
