import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { emptyBucketMetrics } from '@bff/infra/cache/counters/bucket-metrics';
import { namespace, record, tag, type Dependency } from '@bff/infra/cache/dependencies';
import { changeDriven, hybrid, ttl } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { eventually } from '../../support/eventually.js';

class ThingsCache extends DomainCache {
  readonly kept = this.bucket<unknown>('kept', { strategy: changeDriven() });
  readonly brief = this.bucket<unknown>('brief', { strategy: ttl(1) });
  readonly mixed = this.bucket<unknown>('mixed', { strategy: hybrid(1), cacheNull: false });
  constructor(cache: CacheService) {
    super('things', cache);
  }
  drop(id: string) {
    return this.invalidate(record('Thing', id));
  }
}

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const key of keys) found.push(key);
  return found.sort();
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')])(
  'the cache service: $name',
  (fixture) => {
    let cache: CacheService;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
    });
    afterEach(() => fixture.closeAll());

    it.each([[0], [''], [false], [null], [[]], [{}], ['text'], [{ deep: [1, { x: null }] }]])(
      '[P24] serves a cached %j without a second fetch',
      async (value) => {
        const source = new CountingSource<unknown>(value);
        expect(await cache.getOrSet('d:k', source.fetch)).toEqual(value);
        expect(await cache.getOrSet('d:k', source.fetch)).toEqual(value);
        expect(await cache.get('d:k')).toEqual(value);
        expect(source.fetches).toBe(1);
      },
    );

    it('an invalidation of a tag drops what has it, also what is being fetched, and nothing else', async () => {
      const source = new CountingSource<unknown>(1);
      const tagged = (key: string, name: string) => cache.getOrSet(key, source.fetch, { dependsOn: [tag(name)] });
      await Promise.all([tagged('d:1', 'spring: 2026'), tagged('d:2', 'spring: 2026'), tagged('d:3', 'spring')]);
      expect(await cache.invalidate(tag('spring: 2026'))).toMatchObject({ dropped: 2, deferred: 0 });
      expect([await cache.get('d:1'), await cache.get('d:2'), await cache.get('d:3')]).toEqual([
        undefined,
        undefined,
        1,
      ]);
      await cache.getOrSet('d:4', async ({ dependsOn }) => {
        dependsOn(tag('summer'));
        await cache.invalidate(tag('summer'));
        return 1;
      });
      expect(await cache.get('d:4')).toBeUndefined();
    });

    it('refuses a list of dependencies where they are given one by one', async () => {
      const list = [record('Thing', '1')] as unknown as Dependency;
      await expect(cache.invalidate(list)).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
    });

    it('counts how each direct read was answered, and no read of a bucket', async () => {
      const source = new CountingSource<unknown>(1);
      const read = (options?: { ttlSeconds: number } | number) => cache.getOrSet('d:k', source.fetch, options);
      await Promise.all([read(), read(60), read({ ttlSeconds: 60 })]);
      await read();
      await read(60);
      await read({ ttlSeconds: 60 });
      await new ThingsCache(cache).kept.get(['1'], source.fetch);
      await cache.getOrSetAllowingStale('d:k', source.fetch, { stale: { whileRevalidateSeconds: 1 }, ttlSeconds: 60 });
      expect(cache.directReads()).toEqual({ hits: 4, misses: 1, coalesced: 2, bypassed: 0, stale: 0 });
    });

    it('a TTL ends an entry, and only that', async () => {
      await cache.getOrSet('d:kept', async () => 1);
      await cache.getOrSet('d:brief', async () => 1, 0.2);
      expect(await cache.get('d:brief')).toBe(1);
      await cache.set('d:set', 1, { ttlSeconds: 0.2 });
      await eventually(
        async () => (await cache.get('d:brief')) === undefined && (await cache.get('d:set')) === undefined,
      );
      expect(await cache.get('d:kept')).toBe(1);
    });

    it('[P14] a safety TTL bounds entries that have none, and 0 means none', async () => {
      const bounded = fixture.create({ safetyTtlSeconds: 0.2, appName: 'safety' });
      const unbounded = fixture.create({ safetyTtlSeconds: 0, appName: 'none' });
      await bounded.getOrSet('d:k', async () => 1);
      await unbounded.getOrSet('d:k', async () => 1);
      await eventually(async () => (await bounded.get('d:k')) === undefined);
      expect(await unbounded.get('d:k')).toBe(1);
    });

    it('[P21] counts, lists, measures and deletes by pattern over more than a thousand keys; glob characters are literal', async () => {
      await Promise.all(Array.from({ length: 1200 }, (_, i) => cache.set(`orders:detail:${i}`, { i })));
      await cache.set('orders:account:a*b', 1);
      await cache.set('orders:account:axb', 1);
      await cache.set('orders:account:[x]', 1);
      expect(await cache.countByPattern('orders:detail:*')).toBe(1200);
      expect(await cache.memoryUsageByPattern('orders:detail:*')).toBeGreaterThan(1200 * 8);
      expect(await all(cache.scan('orders:account:a\\*b'))).toEqual(['orders:account:a*b']);
      expect(await all(cache.scan('orders:account:a?b'))).toEqual(['orders:account:a*b', 'orders:account:axb']);
      expect(await all(cache.scan('orders:account:[x]'))).toEqual(['orders:account:[x]']);
      expect(await cache.countByPattern('orders.detail:*')).toBe(0);
      expect(await cache.delByPattern('orders:detail:*')).toBe(1200);
      expect(await cache.countByPattern('*')).toBe(3);
      expect(await cache.memoryUsageByPattern('nothing:*')).toBe(0);
    });

    it('del says how many entries were live; an empty or overlong key and control characters are refused', async () => {
      await cache.set('d:a', 1);
      await cache.set('d:b', 1);
      expect(await cache.del('d:a', 'd:b', 'd:c', 'd:a')).toBe(2);
      expect(await cache.del()).toBe(0);
      for (const key of ['', 'x'.repeat(1025), 'd:\0', 'd:\n']) {
        await expect(cache.get(key)).rejects.toMatchObject({ code: 'CACHE_INVALID_KEY' });
      }
      await expect(cache.getOrSet('d:k', async () => 1, -1)).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
      expect(await cache.getOrSet('d:ünï→', async () => 'kept')).toBe('kept');
      expect(await cache.get('d:ünï→')).toBe('kept');
      const value = { text: 'größer → 🌲', none: null };
      const dependsOn = [record('Ünit', '1'), record('Unit', '→')];
      await cache.getOrSet('d:text', async () => value, { dependsOn });
      expect(await cache.get('d:text')).toEqual(value);
    });

    it('[E12] a namespace falls as a whole, and nothing else does', async () => {
      await cache.set('a:1', 1);
      await cache.set('a:2:x', 1);
      await cache.set('ab:1', 1);
      expect((await cache.invalidate(namespace('a'))).dropped).toBe(2);
      expect(await all(cache.scan('*'))).toEqual(['ab:1']);
    });

    it('an invalidation of more dependants than fit in one step is acknowledged, refused on read at once, and freed later', async () => {
      const dependsOn = [record('Popular', '1')];
      await Promise.all(Array.from({ length: 1500 }, (_, i) => cache.set(`d:${i}`, i, { dependsOn })));
      const { dropped, deferred } = await cache.invalidate(...dependsOn);
      expect(deferred > 0 ? dropped < 1500 : dropped === 1500).toBe(true); // a script removes at most some 800
      expect(await Promise.all(Array.from({ length: 1500 }, (_, i) => cache.get(`d:${i}`)))).toEqual(
        Array(1500).fill(undefined),
      );
      await cache.set('d:7', 'new', { dependsOn });
      await eventually(async () => (await cache.countByPattern('d:*')) === 1, { withinMs: 15_000 });
      expect(await cache.get('d:7')).toBe('new');
    });

    it('[P23] [F17] counts hits, misses, coalesced waiters, errors and invalidations exactly', async () => {
      const things = new ThingsCache(cache);
      const source = new CountingSource('v', [record('Thing', '1')]);
      source.hold();
      const first = Array.from({ length: 10 }, () => things.kept.get(['1'], source.fetch));
      await source.hasBegun(1);
      source.letGo();
      await Promise.all(first);
      for (let i = 0; i < 5; i++) await things.kept.get(['1'], source.fetch);
      await things.drop('1');
      await things.drop('unknown');
      await things.kept.get(['1'], source.fetch);
      await expect(things.brief.get(['1'], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      await things.mixed.get(['1'], async () => null);
      await things.mixed.get(['1'], async () => null);
      const none = emptyBucketMetrics();
      expect(await things.metrics()).toEqual({
        processes: 1,
        buckets: {
          kept: { ...none, hits: 5, misses: 2, coalesced: 9 },
          brief: { ...none, errors: 1 },
          mixed: { ...none, misses: 2 },
        },
        invalidations: 2,
        repeatedInvalidations: 0,
        lostRepeats: 0,
      });
      expect(things.ttlSeconds()).toEqual({ kept: null, brief: 1, mixed: 1 });
    });

    it('builds keys that no id can break out of', () => {
      const things = new ThingsCache(cache);
      expect(things.kept.key(['a:b*c', 'd e'])).toBe('things:kept:a%3Ab%2Ac:d%20e');
      expect(things.kept.key(['001xx000003EgI1AAK', 'jp'])).toBe('things:kept:001xx000003EgI1AAK:jp');
    });

    it('keeps sensitive values encrypted, reads them with an older key, and rebuilds what it cannot read', async () => {
      const key = (id: string) => ({ id, secret: new Uint8Array(32).fill(id.charCodeAt(0)) });
      const old = fixture.isShared
        ? fixture.create({ encryptionKeys: [key('a')] })
        : fixture.create({ encryptionKeys: [key('a')] });
      const source = new CountingSource({ iban: 'DE00-secret' });
      await old.getOrSet('d:k', source.fetch, { sensitive: true });
      expect(await old.getOrSet('d:k', source.fetch, { sensitive: true })).toEqual({ iban: 'DE00-secret' });
      expect(source.fetches).toBe(1);
      await expect(cache.set('d:k2', 1, { sensitive: true })).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
      if (!fixture.isShared) return;
      const rotated = fixture.create({ encryptionKeys: [key('b'), key('a')] });
      expect(await rotated.getOrSet('d:k', source.fetch, { sensitive: true })).toEqual({ iban: 'DE00-secret' });
      expect(source.fetches).toBe(1);
      const stranger = fixture.create({ encryptionKeys: [key('c')] });
      expect(await stranger.get('d:k')).toBeUndefined();
      expect(await stranger.getOrSet('d:k', source.fetch, { sensitive: true })).toEqual({ iban: 'DE00-secret' });
      expect(source.fetches).toBe(2);
    });

    it('after close every call says so', async () => {
      await cache.close();
      await expect(cache.get('d:k')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
      await expect(cache.getOrSet('d:k', async () => 1)).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
      await expect(cache.invalidate(record('A', '1'))).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
    });
  },
);
