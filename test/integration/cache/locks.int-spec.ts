import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';

interface Counter {
  count: number;
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')])(
  '[J16] locks: $name',
  (fixture) => {
    let cache: CacheService;
    /** Stands for another process's cache; the same cache if the store is not shared. */
    let other: CacheService;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(async () => {
      fixture.reset();
      cache = fixture.create();
      other = fixture.isShared ? fixture.create() : cache;
      await Promise.all([cache.open(), other.open()]);
    });
    afterEach(() => fixture.closeAll());

    it('null for what is new, the value for what is known, null again after del', async () => {
      const first = await cache.lock<Counter>('n:1');
      expect(first.value).toBeNull();
      expect(await first.write({ count: 1 })).toBe(true);
      const second = await other.lock<Counter>('n:1');
      expect(second.value).toEqual({ count: 1 });
      await second.release();
      await cache.del('n:1');
      expect((await other.lock('n:1')).value).toBeNull();
    });

    it('one holder at a time: the next one comes at once, and sees what the first has written', async () => {
      const first = await cache.lock<Counter>('n:1', { leaseMs: 30_000 });
      const waiting = other.lock<Counter>('n:1', { waitMs: 20_000 });
      let isHad = false;
      void waiting.then(() => (isHad = true));
      await expect(other.lock('n:1', { waitMs: 60 })).rejects.toMatchObject({ code: 'CACHE_WAIT_TIMEOUT' });
      expect(isHad).toBe(false);
      await first.write({ count: 1 });
      expect((await waiting).value).toEqual({ count: 1 });
    });

    it('a timeout of nothing answers at once', async () => {
      await cache.lock('n:1');
      await expect(other.lock('n:1', { waitMs: 0 })).rejects.toMatchObject({
        code: 'CACHE_WAIT_TIMEOUT',
        message: expect.stringContaining('locked'),
      });
    });

    it('an expired owner`s write is refused, and the value is unchanged', async () => {
      await cache.set('n:1', { count: 1 });
      const late = await cache.lock<Counter>('n:1', { leaseMs: 60 });
      const next = await other.lock<Counter>('n:1', { waitMs: 20_000 });
      expect(await late.write({ count: 99 })).toBe(false);
      expect(await other.get('n:1')).toEqual({ count: 1 });
      expect(await next.write({ count: 2 })).toBe(true);
      expect(await late.write({ count: 99 })).toBe(false);
      await late.release();
      expect(await cache.get('n:1')).toEqual({ count: 2 });
    });

    it('a write is for once, and not after a release', async () => {
      const lock = await cache.lock<Counter>('n:1');
      expect(await lock.write({ count: 1 })).toBe(true);
      expect(await lock.write({ count: 2 })).toBe(false);
      const released = await cache.lock<Counter>('n:1');
      await released.release();
      await released.release();
      expect(await released.write({ count: 3 })).toBe(false);
      expect(await cache.get('n:1')).toEqual({ count: 1 });
    });

    it('its own time is over when it said, and others have the key then', async () => {
      await cache.lock('n:1', { leaseMs: 100 });
      const begin = performance.now();
      await other.lock('n:1', { waitMs: 20_000 });
      expect(performance.now() - begin).toBeLessThan(10_000);
    });

    it('withLock releases whatever comes of it', async () => {
      await expect(
        cache.withLock('n:1', async () => {
          throw new Error('my own business');
        }),
      ).rejects.toThrow('my own business');
      expect(await other.withLock('n:1', async (lock) => lock.value, { waitMs: 0 })).toBeNull();
      expect(await cache.status('n:1')).toBe('empty');
    });

    it('ten increments at once from two caches are ten', async () => {
      const increment = (c: CacheService) =>
        c.withLock<Counter, boolean>('n:1', (lock) => lock.write({ count: (lock.value?.count ?? 0) + 1 }));
      const done = await Promise.all(Array.from({ length: 10 }, (_, i) => increment(i % 2 ? cache : other)));
      expect(done).toEqual(Array(10).fill(true));
      expect(await other.get('n:1')).toEqual({ count: 10 });
    });

    it('reads wait for nobody who holds a lock, and see what is stored; the holder`s value is its own', async () => {
      await cache.set('n:1', { count: 1 }, { dependsOn: [record('Counter', '1')] });
      expect(await other.get('n:1')).toEqual({ count: 1 });
      const lock = await cache.lock<Counter>('n:1');
      (lock.value as Counter).count = 2;
      expect(await cache.get('n:1')).toEqual({ count: 1 });
      expect(await other.get('n:1', { waitMs: 1000 })).toEqual({ count: 1 });
      expect(await other.getOrSet('n:1', async () => ({ count: 7 }))).toEqual({ count: 1 });
      expect(await lock.write(lock.value as Counter)).toBe(true);
      expect(await other.get('n:1')).toEqual({ count: 2 }); // acknowledged: no L1 has the old one any more
      expect(await cache.get('n:1')).toEqual({ count: 2 });
    });

    it('what is written ends at its TTL, and by a change it depends on', async () => {
      const dependsOn = [record('Counter', '1')];
      await cache.withLock('n:1', (lock) => lock.write(1, { dependsOn }));
      await other.invalidate(...dependsOn);
      expect(await cache.get('n:1')).toBeUndefined();
      await cache.withLock('n:1', (lock) => lock.write(1, { ttlSeconds: 0.2 }));
      await eventually(async () => (await other.get('n:1')) === undefined);
    });

    it('a build under way is waited for; a lock keeps builds waiting', async () => {
      const source = new CountingSource({ count: 5 });
      source.hold();
      const building = cache.getOrSet('n:1', source.fetch);
      await source.hasBegun(1);
      const locking = other.lock<Counter>('n:1');
      source.letGo();
      await building;
      const lock = await locking;
      expect(lock.value).toEqual({ count: 5 });
      await cache.del('n:2');
      const empty = await cache.lock<Counter>('n:2');
      const reader = other.getOrSet('n:2', source.fetch);
      await empty.write({ count: 6 });
      expect(await reader).toEqual({ count: 6 });
      expect(source.fetches).toBe(1);
    });

    it('set and del end a lock, and the holder learns it at its write', async () => {
      for (const end of [() => other.set('n:1', { count: 50 }), () => other.del('n:1')]) {
        const lock = await cache.lock<Counter>('n:1');
        await end();
        expect(await lock.write({ count: 1 })).toBe(false);
      }
      expect(await cache.get('n:1')).toBeUndefined();
    });

    it('a caller that waits for a lock is rejected when the cache closes', async () => {
      await other.lock('n:1');
      const waiting = cache.lock('n:1', { waitMs: 20_000 });
      const refused = expect(waiting).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
      await cache.close();
      await refused;
    });

    if (!fixture.isShared) return;

    it('without the store there are no locks', async () => {
      const away = fixture.create({ redisUrl: 'redis://127.0.0.1:1' });
      await expect(away.lock('n:1')).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE' });
      const begun = deferred();
      const used = away.withLock('n:1', async () => begun.resolve());
      await expect(used).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE' });
    });
  },
);
