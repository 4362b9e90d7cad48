import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { CacheBucketMetrics, FetchContext } from '@bff/infra/cache/cache.types';
import { membership, record, wholeTable } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, ttl } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { elapse, eventually } from '../../support/eventually.js';

/** A source whose things all have one version. It records the id of every fetch. */
class ThingsSource {
  version = 1;
  readonly fetches: string[] = [];
  isDown = false;
  delayMs = 0;

  readonly fetcher =
    ([id = '']: readonly string[]) =>
    async ({ dependsOn }: FetchContext) => {
      this.fetches.push(id);
      dependsOn(membership('Thing'), record('Thing', id));
      if (this.isDown) throw new Error('the source is down');
      const { version } = this;
      if (this.delayMs) await elapse(this.delayMs);
      return version;
    };

  count(id: string): number {
    return this.fetches.filter((fetched) => fetched === id).length;
  }
}

class ThingsCache extends DomainCache {
  readonly hot = this.bucket<number>('hot', {
    strategy: changeDriven(),
    load: (parts, context) => this.source.fetcher(parts)(context),
    rehydrate: { recentSeconds: 60, perSecond: 100 },
  });
  readonly slow = this.bucket<number>('slow', {
    strategy: changeDriven(),
    load: (parts, context) => this.source.fetcher(parts)(context),
    rehydrate: { recentSeconds: 60, source: 'a slow one', perSecond: 2 },
  });
  readonly slower = this.bucket<number>('slower', {
    strategy: ttl(60),
    load: (parts, context) => this.source.fetcher(parts)(context),
    rehydrate: { recentSeconds: 60, source: 'a slow one', perSecond: 2 },
  });
  readonly cold = this.bucket<number>('cold', { strategy: changeDriven() });

  constructor(
    cache: CacheService,
    private readonly source: ThingsSource,
  ) {
    super('things', cache);
  }

  get(bucket: 'hot' | 'slow' | 'slower' | 'cold', id: string) {
    return this[bucket].get([id], this.source.fetcher([id]));
  }
  counts(bucket: 'hot' | 'slow' | 'cold'): CacheBucketMetrics {
    return this[bucket].metrics;
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(3, 'strict')])(
  'rehydration after an invalidation: $name',
  (fixture) => {
    let cache: CacheService;
    let source: ThingsSource;
    let things: ThingsCache;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(async () => {
      fixture.reset();
      cache = fixture.create();
      await cache.open();
      source = new ThingsSource();
      things = new ThingsCache(cache, source);
    });
    afterEach(() => fixture.closeAll());

    it('[E7] what was read lately is built again without a reader, and the next read hits the new value', async () => {
      await things.get('hot', '1');
      source.version = 2;
      await cache.invalidate(record('Thing', '1'));
      await eventually(async () => (await cache.get('things:hot:1')) === 2);
      expect(await things.get('hot', '1')).toBe(2);
      expect(source.count('1')).toBe(2);
      await eventually(() => things.counts('hot').rehydrations === 1);
      expect(things.counts('hot')).toMatchObject({ hits: 1, misses: 1, errors: 0 });
    });

    it('again after the next invalidation, although nobody reads meanwhile', async () => {
      await things.get('hot', '1');
      for (const version of [2, 3]) {
        source.version = version;
        await cache.invalidate(record('Thing', '1'));
        await eventually(async () => (await cache.get('things:hot:1')) === version);
      }
      await eventually(() => things.counts('hot').rehydrations === 2); // counted a moment after it can be read
      expect(things.counts('hot').misses).toBe(1);
    });

    it('not what this process was not asked for, nor what belongs to another bucket', async () => {
      await cache.getOrSet('things:hot:set-elsewhere', source.fetcher(['set-elsewhere']));
      await things.get('cold', '2');
      await things.get('hot', '1');
      await cache.invalidate(record('Thing', 'set-elsewhere'), record('Thing', '2'), record('Thing', '1'));
      await eventually(() => source.count('1') === 2);
      await elapse(300);
      expect([source.count('set-elsewhere'), source.count('2')]).toEqual([1, 1]);
    });

    it('a burst of invalidations leads to one build for each, or few', async () => {
      await things.get('hot', '1');
      source.delayMs = 20;
      for (let i = 0; i < 20; i++) {
        source.version++;
        await cache.invalidate(record('Thing', '1'));
      }
      await eventually(async () => (await cache.get('things:hot:1')) === source.version);
      expect(source.count('1')).toBeLessThanOrEqual(6);
    });

    it('an invalidation while it is built again: the next try has the new value', async () => {
      await things.get('hot', '1');
      source.delayMs = 300;
      await cache.invalidate(record('Thing', '1'));
      await eventually(() => source.count('1') === 2); // the build has read version 1
      source.version = 2;
      await cache.invalidate(record('Thing', '1'));
      await eventually(async () => (await cache.get('things:hot:1')) === 2);
      expect(things.counts('hot').misses).toBe(1); // no reader has built it
    });

    it('no faster than its source allows, over all buckets of the source', async () => {
      for (const id of ['1', '2', '3', '4']) {
        await things.get('slow', id);
        await things.get('slower', id);
      }
      const before = source.fetches.length;
      const begin = performance.now();
      await cache.invalidate(...['1', '2', '3', '4'].map((id) => record('Thing', id)));
      await eventually(() => source.fetches.length === before + 8, { withinMs: 20_000 });
      expect(performance.now() - begin).toBeGreaterThan(2500); // two at once, then two a second
    });

    it('[F6] failures are counted, and reach nobody', async () => {
      await things.get('hot', '1');
      source.isDown = true;
      await cache.invalidate(record('Thing', '1'));
      await eventually(() => things.counts('hot').backgroundFailures === 1);
      await elapse(300);
      expect(source.count('1')).toBe(2);
      source.isDown = false;
      expect(await things.get('hot', '1')).toBe(1);
      expect(things.counts('hot')).toMatchObject({ errors: 0, misses: 2 });
    });

    it('[F16] nothing is built again after close', async () => {
      await things.get('hot', '1');
      await cache.invalidate(record('Thing', '1'));
      await cache.close();
      const before = source.fetches.length;
      await elapse(400);
      expect(source.fetches.length).toBe(before);
    });

    if (!fixture.isShared) return;

    it('nothing for an invalidation so wide that it was deferred', async () => {
      await Promise.all(Array.from({ length: 2500 }, (_, i) => things.get('hot', `${i}`)));
      const before = source.fetches.length;
      const { deferred } = await cache.invalidate(wholeTable('Thing'));
      expect(deferred).toBeGreaterThan(0);
      await elapse(600);
      expect(source.fetches.length).toBe(before);
    });

    it('one build over all processes that have read it', async () => {
      const caches = [cache, fixture.create(), fixture.create(), fixture.create()];
      await Promise.all(caches.map((c) => c.open()));
      const all = [things, ...caches.slice(1).map((c) => new ThingsCache(c, source))];
      await Promise.all(all.map((t) => t.hot.get(['0'], async () => 0))); // all of them listen from here on
      for (const t of all) await t.get('hot', '1');
      source.version = 2;
      source.delayMs = 30;
      await caches[3]?.invalidate(record('Thing', '1'));
      await eventually(async () => (await cache.get('things:hot:1')) === 2);
      await elapse(400);
      expect(source.count('1')).toBe(2);
      expect(all.reduce((sum, t) => sum + t.counts('hot').rehydrations, 0)).toBe(1);
    });
  },
);
