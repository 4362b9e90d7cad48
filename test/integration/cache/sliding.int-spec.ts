import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { sliding } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';

class ThingsCache extends DomainCache {
  readonly slides = this.bucket<string | null>('slides', { strategy: sliding(1.5), negativeTtlSeconds: 0.9 });
  readonly bounded = this.bucket<string>('bounded', { strategy: sliding(1.5, { absoluteSeconds: 3 }) });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'entries that live while they are asked for: $name',
  (fixture) => {
    let cache: CacheService;
    let things: ThingsCache;
    let source: CountingSource<string>;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(async () => {
      fixture.reset();
      cache = fixture.create();
      await cache.open();
      things = new ThingsCache(cache);
      source = new CountingSource('value', [record('Thing', '1')]);
    });
    afterEach(() => fixture.closeAll());

    /** Reads every 60 ms for this time. */
    async function ask(ms: number, read: () => Promise<unknown>): Promise<void> {
      for (const end = performance.now() + ms; performance.now() < end; await elapse(60)) await read();
    }

    it('hits keep an entry; without hits it ends', async () => {
      await ask(3200, () => things.slides.get(['1'], source.fetch));
      expect(source.fetches).toBe(1);
      await eventually(async () => (await cache.status('things:slides:1')) === 'empty');
    });

    it('no hit keeps it beyond the absolute end, in no process', async () => {
      const begin = performance.now();
      const readers = [cache, ...(fixture.isShared ? [fixture.create(), fixture.create()] : [])];
      const buckets = readers.map((c) => (c === cache ? things : new ThingsCache(c)).bounded);
      await buckets[0]?.get(['1'], source.fetch);
      await eventually(
        async () => {
          await Promise.all(buckets.map((bucket) => bucket.get(['1'], source.fetch)));
          return source.fetches > 1;
        },
        { withinMs: 8000, what: 'its end' },
      );
      const lived = performance.now() - begin;
      expect(lived).toBeGreaterThan(2000); // hits did keep it
      expect(lived).toBeLessThan(6000);
    });

    it('a change ends it at once', async () => {
      await things.slides.get(['1'], source.fetch);
      await cache.invalidate(record('Thing', '1'));
      expect(await cache.get('things:slides:1')).toBeUndefined();
    });

    it('a negative entry keeps its own end', async () => {
      const none = new CountingSource<null>(null);
      await things.slides.get(['none'], none.fetch);
      const begin = performance.now();
      await eventually(async () => {
        await things.slides.get(['none'], none.fetch);
        return none.fetches === 2;
      });
      expect(performance.now() - begin).toBeLessThan(3000);
    });

    it('get alone does not keep an entry: it knows nothing of its strategy', async () => {
      await things.slides.get(['1'], source.fetch);
      await eventually(async () => (await cache.get('things:slides:1')) === undefined);
    });
  },
);
