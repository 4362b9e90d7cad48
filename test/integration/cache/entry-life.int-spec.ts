import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, ttl } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { eventually } from '../../support/eventually.js';

interface Thing {
  readonly state: 'settled' | 'moving' | 'secret';
}

class ThingsCache extends DomainCache {
  readonly byState = this.bucket<Thing>('byState', {
    strategy: ttl((thing: Thing) => ({ settled: 600, moving: 0.2, secret: 0 })[thing.state]),
  });
  readonly known = this.bucket<Thing | null>('known', { strategy: changeDriven(), negativeTtlSeconds: 0.2 });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'how long entries live: $name',
  (fixture) => {
    let cache: CacheService;
    let things: ThingsCache;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
      things = new ThingsCache(cache);
    });
    afterEach(() => fixture.closeAll());

    it('[E11] the value decides its TTL, in a bucket and in a call', async () => {
      await things.byState.get(['1'], async () => ({ state: 'settled' }));
      await things.byState.get(['2'], async () => ({ state: 'moving' }));
      await cache.getOrSet('d:k', async () => 7, { ttlSeconds: (value) => (value === 7 ? 0.2 : undefined) });
      await cache.getOrSet('d:none', async () => 8, { ttlSeconds: (value) => (value === 7 ? 0.2 : undefined) });
      await eventually(async () => (await cache.get('things:byState:2')) === undefined);
      await eventually(async () => (await cache.get('d:k')) === undefined);
      expect(await cache.get('things:byState:1')).toEqual({ state: 'settled' });
      expect(await cache.get('d:none')).toBe(8);
    });

    it('a TTL of 0 or less from the value: all who wait share it, and nothing is stored', async () => {
      const source = new CountingSource<Thing>({ state: 'secret' });
      source.hold();
      const calls = Array.from({ length: 5 }, () => things.byState.get(['1'], source.fetch));
      await source.hasBegun(1);
      source.letGo();
      expect(await Promise.all(calls)).toEqual(Array(5).fill({ state: 'secret' }));
      expect(source.fetches).toBe(1);
      expect(await cache.status('things:byState:1')).toBe('empty');
      await cache.getOrSet('d:k', async () => 1, { ttlSeconds: () => -5 });
      expect(await cache.status('d:k')).toBe('empty');
    });

    it('a TTL function that fails, or answers no number, rejects its callers and frees the key', async () => {
      const failing = { ttlSeconds: () => Promise.resolve(5) as never };
      await expect(cache.getOrSet('d:k', async () => 1, failing)).rejects.toMatchObject({
        code: 'CACHE_INVALID_OPTION',
      });
      const throwing = {
        ttlSeconds: () => {
          throw new Error('my function is broken');
        },
      };
      await expect(cache.getOrSet('d:k', async () => 1, throwing)).rejects.toThrow('my function is broken');
      expect(await cache.status('d:k')).toBe('empty');
    });

    it('a negative entry ends sooner than others, and empty values are not negative', async () => {
      const none = new CountingSource<Thing | null>(null);
      expect(await things.known.get(['none'], none.fetch)).toBeNull();
      expect(await things.known.get(['none'], none.fetch)).toBeNull();
      expect(none.fetches).toBe(1);
      await things.known.get(['some'], async () => ({ state: 'settled' }));
      await eventually(async () => (await cache.get('things:known:none')) === undefined);
      expect(await cache.get('things:known:some')).toEqual({ state: 'settled' });
      await things.known.get(['none'], none.fetch);
      expect(none.fetches).toBe(2);
    });
  },
);
