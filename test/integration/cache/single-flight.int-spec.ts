import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BuildFailedError, CacheError, WaitTimeoutError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')])(
  'one build for all who ask: $name',
  (fixture) => {
    let cache: CacheService;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
    });
    afterEach(() => fixture.closeAll());

    it('[P1] [J1] builds once for 100 callers at once and 200 more around its completion', async () => {
      let builds = 0;
      const build = async () => {
        builds++;
        await elapse(200);
        return { built: builds };
      };
      const early = times(100, () => cache.getOrSet('d:k', build));
      const late = times(200, async (i) => {
        await elapse(150 + i / 2);
        return cache.getOrSet('d:k', build);
      });
      const values = await Promise.all([...early, ...late]);
      expect(builds).toBe(1);
      expect(values).toEqual(times(300, () => ({ built: 1 })));
    });

    it('[J2] [F15] a built value is served to callers with another fetcher, whatever their patience', async () => {
      await cache.getOrSet('d:k', async () => 'first');
      const other = new CountingSource('second');
      const values = await Promise.all(times(100, () => cache.getOrSet('d:k', other.fetch, { waitMs: 1 })));
      expect(new Set(values)).toEqual(new Set(['first']));
      expect(other.fetches).toBe(0);
    });

    it('[P2] [J3] a failing build rejects all 100 waiters with its error, once, and caches nothing', async () => {
      let builds = 0;
      const failing = async () => {
        builds++;
        await elapse(50);
        throw new Error('the source said no');
      };
      const outcomes = await Promise.allSettled(times(100, () => cache.getOrSet('d:k', failing)));
      expect(builds).toBe(1);
      expect(
        outcomes.every((o) => o.status === 'rejected' && (o.reason as Error).message === 'the source said no'),
      ).toBe(true);
      expect(await cache.status('d:k')).toBe('empty');
      expect(await cache.getOrSet('d:k', async () => 'next')).toBe('next');
    });

    it('[J4] after an error the next caller builds at once', async () => {
      const failures = await Promise.allSettled(
        times(50, () => cache.getOrSet('d:k', () => Promise.reject(new Error('no')))),
      );
      expect(failures.every((o) => o.status === 'rejected')).toBe(true);
      const source = new CountingSource('yes');
      expect(await Promise.all(times(50, () => cache.getOrSet('d:k', source.fetch)))).toEqual(times(50, () => 'yes'));
      expect(source.fetches).toBe(1);
    });

    it('[J5] waiters with little patience reject, and the builder still succeeds', async () => {
      const source = new CountingSource('late');
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch, { waitMs: 10 });
      await source.hasBegun(1);
      const waiters = await Promise.allSettled(times(20, () => cache.getOrSet('d:k', source.fetch, { waitMs: 10 })));
      expect(waiters.every((o) => o.status === 'rejected' && o.reason instanceof WaitTimeoutError)).toBe(true);
      source.letGo();
      expect(await builder).toBe('late');
      expect(await cache.get('d:k')).toBe('late');
      expect(source.fetches).toBe(1);
    });

    it('[J6] waiters with enough patience get the value', async () => {
      const source = new CountingSource('value');
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch);
      await source.hasBegun(1);
      const waiters = times(20, () => cache.getOrSet('d:k', source.fetch, { waitMs: 5000 }));
      source.letGo();
      expect(await Promise.all([builder, ...waiters])).toEqual(times(21, () => 'value'));
    });

    it('[J8] [J14] a delete during a build makes those who come after share exactly one more build', async () => {
      const source = new CountingSource('old');
      source.hold();
      const before = times(100, () => cache.getOrSet('d:k', source.fetch));
      await source.hasBegun(1);
      source.value = 'new';
      await cache.del('d:k');
      const after = times(200, () => cache.getOrSet('d:k', source.fetch));
      await source.hasBegun(2); // although the first build still hangs
      source.letGo();
      expect(new Set(await Promise.all(after))).toEqual(new Set(['new']));
      expect(new Set(await Promise.all(before))).toEqual(new Set(['old'])); // they asked before the fetch began
      expect(source.fetches).toBe(2);
      expect(await cache.get('d:k')).toBe('new');
    });

    it('[J10] a hundred getters wait for a build under way', async () => {
      const source = new CountingSource({ a: 1 });
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch);
      await source.hasBegun(1);
      const getters = times(100, () => cache.get('d:k', { waitMs: 5000 }));
      source.letGo();
      await builder;
      expect(await Promise.all(getters)).toEqual(times(100, () => ({ a: 1 })));
    });

    it('[J11] [J12] get without patience is a miss, with too little it rejects, and on an absent key it answers at once', async () => {
      const source = new CountingSource(1);
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch);
      await source.hasBegun(1);
      expect(await cache.get('d:k')).toBeUndefined();
      await expect(cache.get('d:k', { waitMs: 30 })).rejects.toMatchObject({ code: 'CACHE_WAIT_TIMEOUT' });
      const begin = performance.now();
      expect(await cache.get('d:absent', { waitMs: 10_000 })).toBeUndefined();
      expect(performance.now() - begin).toBeLessThan(5000);
      source.letGo();
      await builder;
    });

    it('[J13] the status goes from empty to pending to exists to empty', async () => {
      const source = new CountingSource(1);
      source.hold();
      expect(await cache.status('d:k')).toBe('empty');
      const builder = cache.getOrSet('d:k', source.fetch);
      await source.hasBegun(1);
      expect(await cache.status('d:k')).toBe('pending');
      source.letGo();
      await builder;
      expect(await cache.status('d:k')).toBe('exists');
      await cache.del('d:k');
      expect(await cache.status('d:k')).toBe('empty');
    });

    it('rejects what JSON cannot hold, for every waiter, and leaves the key free', async () => {
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      const outcomes = await Promise.allSettled(times(3, () => cache.getOrSet<unknown>('d:k', async () => cyclic)));
      for (const o of outcomes)
        expect(o.status === 'rejected' && (o.reason as CacheError).code).toBe('CACHE_VALUE_NOT_SERIALIZABLE');
      expect(await cache.status('d:k')).toBe('empty');
    });

    it('returns undefined to all and stores nothing; null is stored unless cacheNull is off', async () => {
      const nothing = new CountingSource<undefined>(undefined);
      expect(await Promise.all(times(10, () => cache.getOrSet('d:u', nothing.fetch)))).toEqual(
        times(10, () => undefined),
      );
      expect(nothing.fetches).toBe(1);
      expect(await cache.status('d:u')).toBe('empty');
      const none = new CountingSource(null);
      await cache.getOrSet('d:n', none.fetch, { cacheNull: false });
      await cache.getOrSet('d:n', none.fetch, { cacheNull: false });
      expect(none.fetches).toBe(2);
      await cache.getOrSet('d:n', none.fetch);
      await cache.getOrSet('d:n', none.fetch);
      expect(none.fetches).toBe(3);
    });

    if (!fixture.isShared) return;

    it('[J7] without renewal a slow build is overtaken, its caller gets its own value, and the store keeps the newer one', async () => {
      const slow = new CountingSource('slow');
      slow.hold();
      const slowCaller = cache.getOrSet('d:k', slow.fetch, { leaseMs: 100, renewLease: false });
      await slow.hasBegun(1);
      await eventually(async () => (await cache.status('d:k')) === 'empty', { what: 'the lease has run out' });
      const other = fixture.create();
      expect(await other.getOrSet('d:k', async () => 'newer')).toBe('newer');
      slow.letGo();
      expect(await slowCaller).toBe('slow');
      expect(await cache.get('d:k')).toBe('newer');
    });

    it('renews the lease of a build that is slower than its lease', async () => {
      const source = new CountingSource('slow');
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch, { leaseMs: 900 });
      await source.hasBegun(1);
      await elapse(1500);
      expect(await fixture.create().status('d:k')).toBe('pending');
      source.letGo();
      await builder;
      expect(source.fetches).toBe(1);
    });

    it('builds once for 100 callers in each of 4 caches over one store', async () => {
      const caches = [cache, ...times(3, () => fixture.create())];
      await Promise.all(caches.map((c) => c.open()));
      const source = new CountingSource('value');
      source.hold();
      const all = caches.flatMap((c) => times(100, () => c.getOrSet('d:k', source.fetch)));
      await source.hasBegun(1);
      await elapse(120);
      source.letGo();
      expect(new Set(await Promise.all(all))).toEqual(new Set(['value']));
      expect(source.fetches).toBe(1);
    });

    it('tells waiters in another process the code and message of the error, at once', async () => {
      const other = fixture.create();
      await other.open();
      const source = new CountingSource('never');
      source.hold();
      const builder = cache.getOrSet('d:k', async (context) => {
        await source.fetch(context);
        throw Object.assign(new Error('limit exceeded'), { code: 'REQUEST_LIMIT' });
      });
      await source.hasBegun(1);
      const waiters = times(10, () => other.getOrSet('d:k', () => Promise.reject(new Error('must not be called'))));
      const getter = other.get('d:k', { waitMs: 5000 });
      await elapse(210); // between two looks of the waiters (50, 100, 200 ms, ± 25 %): only the message reaches them
      source.letGo();
      await expect(builder).rejects.toThrow('limit exceeded');
      for (const outcome of await Promise.allSettled([...waiters, getter])) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { code: 'CACHE_BUILD_FAILED', sourceCode: 'REQUEST_LIMIT', message: 'limit exceeded' },
        });
        expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(BuildFailedError);
      }
    });
  },
);
