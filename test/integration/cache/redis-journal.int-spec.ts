import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache, type CreateCacheOptions } from '@bff/infra/cache/create-cache';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const ORDER = record('Order', '1');
const REFUSED = { code: 'CACHE_NOT_ACKNOWLEDGED', retryable: true };

describe('invalidations that could not be acknowledged', () => {
  let server: RedisServer;
  const caches: CacheService[] = [];
  const create = async (options: CreateCacheOptions = {}): Promise<CacheService> => {
    // A longer timeout than the default, because tests share the machine.
    const cache = createCache({ redisUrl: server.url, appName: 'journal', commandTimeoutMs: 400, ...options });
    caches.push(cache);
    await cache.open();
    return cache;
  };
  const isUp = (cache: CacheService) => eventually(() => cache.state().status === 'up');

  beforeEach(async () => {
    server = await startRedisServer();
  });
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await server.stop();
  });

  /** Reads repeatedly until `isOver`; returns each distinct answer once. */
  async function answersUntil(cache: CacheService, source: CountingSource<string>, isOver: () => boolean) {
    const answers = new Set<string>();
    while (!isOver()) {
      answers.add(await cache.getOrSet('orders:1', source.fetch));
      await elapse(2);
    }
    return [...answers];
  }

  it('are carried out before this process reads again, when Redis comes back with its data', async () => {
    const [a, b] = [await create(), await create()];
    const source = new CountingSource('old', [ORDER]);
    await a.getOrSet('orders:1', source.fetch);
    server.pause();
    source.value = 'new';
    await expect(a.invalidate(ORDER)).rejects.toMatchObject(REFUSED);
    expect(a.state()).toMatchObject({ status: 'down', owedInvalidations: 2 }); // the record, and any record of its table
    let isOver = false;
    const answers = answersUntil(a, source, () => isOver);
    await elapse(2500); // long enough for the process to give its connection up
    server.resume();
    await isUp(a);
    await eventually(async () => (await a.get('orders:1')) === 'new');
    isOver = true;
    expect(await answers).toEqual(['new']);
    expect(a.state()).not.toHaveProperty('owedInvalidations');
    expect(await b.getOrSet('orders:1', source.fetch)).toBe('new');
  });

  it('also when only the answer came too late, on a connection that was never lost', async () => {
    const cache = await create();
    const admin = new Redis(server.url);
    const source = new CountingSource('old', [ORDER]);
    await cache.getOrSet('orders:1', source.fetch);
    const connections = async () => /total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1];
    const before = await connections();
    server.pause();
    source.value = 'new';
    await expect(cache.invalidate(ORDER)).rejects.toMatchObject(REFUSED);
    expect(cache.state()).toMatchObject({ status: 'down', owedInvalidations: 2 }); // the record, and any record of its table
    server.resume();
    expect(await answersUntil(cache, source, () => cache.state().status === 'up')).not.toContain('old');
    expect(await cache.getOrSet('orders:1', source.fetch)).toBe('new');
    expect(await connections()).toBe(before);
    admin.disconnect();
  });

  it.each<[string, (cache: CacheService) => Promise<unknown>]>([
    ['set', (cache) => cache.set('orders:1', 'lost')],
    ['del', (cache) => cache.del('orders:1')],
  ])('%s that was not acknowledged leaves neither the old value nor half of the new one', async (_, write) => {
    const cache = await create();
    await cache.set('orders:1', 'old');
    server.pause();
    await expect(write(cache)).rejects.toMatchObject(REFUSED);
    expect(cache.state().owedInvalidations).toBe(1);
    server.resume();
    await isUp(cache);
    expect(await cache.get('orders:1')).toBeUndefined();
  });

  it('do not stand in the way of others: those are acknowledged as soon as the store answers', async () => {
    const [a, b] = [await create(), await create()];
    const source = new CountingSource('value', [record('Order', '2')]);
    await b.getOrSet('orders:2', source.fetch);
    await server.kill('SIGKILL');
    await eventually(() => a.state().status === 'down');
    await expect(a.invalidate(ORDER)).rejects.toMatchObject(REFUSED);
    await expect(a.invalidate(ORDER)).rejects.toMatchObject(REFUSED);
    expect(a.state().owedInvalidations).toBe(2);
    await server.restart(); // empty: no old value is left, and the repetition is harmless
    await eventually(() => a.invalidate(ORDER).then(Boolean, () => false));
    await Promise.all([isUp(a), isUp(b)]);
    await b.getOrSet('orders:2', source.fetch);
    expect(await b.get('orders:2')).toBe('value');
  });

  it('beyond ten thousand become one flush of everything, for all processes', async () => {
    const [a, b] = [await create(), await create()];
    const other = new CountingSource('other', [record('Account', '1')]);
    await b.getOrSet('accounts:1', other.fetch);
    const orders = (from: number): Dependency[] =>
      Array.from({ length: 6000 }, (_, i) => record('Order', String(from + i)));
    server.pause();
    await expect(a.invalidate(...orders(0))).rejects.toMatchObject(REFUSED);
    await expect(a.invalidate(...orders(6000))).rejects.toMatchObject(REFUSED);
    expect(a.state()).toMatchObject({ owedInvalidations: 10_000, reason: expect.stringMatching(/more than 10000/) });
    server.resume();
    await isUp(a);
    await isUp(b);
    expect(await b.get('accounts:1')).toBeUndefined();
    await b.getOrSet('accounts:1', other.fetch);
    expect(await a.get('accounts:1')).toBe('other');
    await b.invalidate(record('Account', '1'));
    expect(await a.get('accounts:1')).toBeUndefined();
  });

  it.each(['strict', 'bounded'] as const)(
    'are visible in the L1 of this process at once, and it keeps nothing meanwhile (%s)',
    async (l1) => {
      const [a, b] = [await create({ l1 }), await create({ l1 })];
      const [order, account] = [
        new CountingSource('old', [ORDER]),
        new CountingSource('account', [record('Account', '1')]),
      ];
      const isInL1 = (cache: CacheService) =>
        eventually(async () => {
          await cache.getOrSet('orders:1', order.fetch);
          await cache.getOrSet('accounts:1', account.fetch);
          const { fetches } = order;
          server.pause();
          const answer = await Promise.all([cache.get('orders:1'), cache.get('accounts:1')]);
          server.resume();
          return answer.join() === 'old,account' && order.fetches === fetches;
        });
      await isInL1(a);
      server.pause();
      order.value = 'new';
      const refused = a.invalidate(ORDER);
      const late = a.getOrSet('orders:1', order.fetch); // sent before the refusal; answered when Redis is back
      await expect(refused).rejects.toMatchObject(REFUSED);
      expect(await a.getOrSet('orders:1', order.fetch)).toBe('new');
      expect(await a.get('accounts:1')).toBeUndefined();
      server.resume();
      expect(await late).toBe('new');
      await isUp(a);
      expect(await a.getOrSet('orders:1', order.fetch)).toBe('new');
      await eventually(async () => (await b.getOrSet('orders:1', order.fetch)) === 'new');
    },
  );
});
