import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { BackgroundEvent } from '@bff/infra/cache/cache.types';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, ttl } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';

const THING = record('Thing', '1');

class ThingsCache extends DomainCache {
  readonly early = this.bucket<string>('early', { strategy: ttl(3), refreshAhead: 0.1 });
  readonly late = this.bucket<string>('late', { strategy: ttl(60), refreshAhead: 0.9 });
  readonly decided = this.bucket<string>('decided', { strategy: ttl(() => 3), refreshAhead: 0.1 });
  readonly endless = this.bucket<string>('endless', { strategy: changeDriven(), refreshAhead: 0.1 });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'refreshing entries before they end: $name',
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
      source = new CountingSource('old', [THING]);
    });
    afterEach(() => fixture.closeAll());

    it.each(['early', 'decided'] as const)(
      'a late hit of the bucket `%s` answers at once and starts one build; others hit meanwhile',
      async (bucket) => {
        await things[bucket].get(['1'], source.fetch);
        source.value = 'new';
        source.hold();
        await eventually(async () => {
          expect(await things[bucket].get(['1'], source.fetch)).toBe('old');
          return source.fetches === 2;
        });
        for (let i = 0; i < 20; i++) expect(await things[bucket].get(['1'], source.fetch)).toBe('old');
        source.letGo();
        await eventually(async () => (await things[bucket].get(['1'], source.fetch)) === 'new');
        expect(source.fetches).toBe(2);
        // A refresh counts when every L1 has followed it. With a new gate that takes a second.
        await eventually(async () => (await things.metrics()).buckets[bucket]?.refreshes === 1);
        const counted = (await things.metrics()).buckets[bucket];
        expect(counted).toMatchObject({ misses: 1, refreshes: 1, coalesced: 0, errors: 0, backgroundFailures: 0 });
      },
    );

    it('[F4] an early hit starts nothing, nor does any hit of an entry without a TTL', async () => {
      await things.late.get(['1'], source.fetch);
      await things.endless.get(['1'], source.fetch);
      for (let i = 0; i < 10; i++) {
        await elapse(20);
        await things.late.get(['1'], source.fetch);
        await things.endless.get(['1'], source.fetch);
      }
      expect(source.fetches).toBe(2);
    });

    it('[F7] a failure reaches nobody: the entry stays until its end, and the source is not pressed', async () => {
      const events: BackgroundEvent[] = [];
      const options = {
        ttlSeconds: 1.5,
        refreshAhead: 0.1,
        onBackground: (event: BackgroundEvent) => void events.push(event),
      };
      await cache.getOrSet('d:k', source.fetch, options);
      let attempts = 0;
      const down = async () => {
        attempts++;
        throw new Error('the source is down');
      };
      await eventually(async () => {
        expect(await cache.getOrSet('d:k', down, options)).toBe('old');
        return events.length > 0;
      });
      for (let i = 0; i < 20; i++) expect(await cache.getOrSet('d:k', down, options)).toBe('old');
      expect(attempts).toBe(1);
      expect(events).toEqual(['failed']);
    });

    it('[F13] a refresh that began before an invalidation does not bring the old value back', async () => {
      await things.early.get(['1'], source.fetch);
      source.hold();
      await eventually(async () => {
        await things.early.get(['1'], source.fetch);
        return source.fetches === 2; // the refresh has read 'old'
      });
      source.value = 'new';
      await cache.invalidate(THING);
      const reader = things.early.get(['1'], source.fetch);
      await source.hasBegun(3);
      source.letGo();
      expect(await reader).toBe('new');
      expect(await things.early.get(['1'], source.fetch)).toBe('new');
      expect((await things.metrics()).buckets.early).toMatchObject({ refreshes: 0, misses: 2 });
    });

    if (!fixture.isShared) return;

    it('one refresh over all processes', async () => {
      const caches = [cache, fixture.create(), fixture.create(), fixture.create()];
      await Promise.all(caches.map((c) => c.open()));
      const options = { ttlSeconds: 4, refreshAhead: 0.1 };
      for (const c of caches) await c.getOrSet('d:k', source.fetch, options);
      expect(source.fetches).toBe(1);
      source.value = 'new';
      const isNew = async () =>
        (await Promise.all(caches.map((c) => c.getOrSet('d:k', source.fetch, options)))).every((v) => v === 'new');
      await eventually(isNew);
      expect(source.fetches).toBe(2);
    });
  },
);
