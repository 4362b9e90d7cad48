import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, ttl } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';

class Money {
  constructor(readonly amount: number) {}
  get text(): string {
    return `${this.amount} €`;
  }
}

const unplain = () => ({ at: new Date(0), price: new Money(5), seen: new Map([[1, 2]]), rates: [NaN, undefined, -0] });
const AS_JSON = { at: '1970-01-01T00:00:00.000Z', price: { amount: 5 }, seen: {}, rates: [null, null, 0] };

class ThingsCache extends DomainCache {
  readonly kept = this.bucket<unknown>('kept', { strategy: changeDriven(), stale: { ifErrorSeconds: 60 } });
  readonly unkept = this.bucket<unknown>('unkept', { strategy: ttl(() => 0) });
  readonly noNull = this.bucket<unknown>('noNull', { strategy: changeDriven(), cacheNull: false });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

/** `toStrictEqual`, because `toEqual` accepts a class instance or `undefined` in place of its JSON form. */
const expectAll = (answers: readonly unknown[], value: unknown) => {
  for (const answer of answers) expect(answer).toStrictEqual(value);
};

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  '[B12] a value that JSON changes: $name',
  (fixture) => {
    let source: CountingSource<unknown>;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      source = new CountingSource<unknown>(unplain());
    });
    afterEach(() => fixture.closeAll());

    it('is the same for the first caller, those who wait with it, and those who come later; and is counted', async () => {
      const [things, others] = [new ThingsCache(fixture.create()), new ThingsCache(fixture.create())];
      source.hold();
      const first = [things.kept.get(['1'], source.fetch), things.kept.getAllowingStale(['1'], source.fetch)] as const;
      await source.hasBegun(1);
      const joined = things.kept.get(['1'], source.fetch);
      source.letGo();
      expectAll([await first[0], (await first[1]).value, await joined], AS_JSON);
      expectAll([await things.kept.get(['1'], source.fetch), await others.kept.get(['1'], source.fetch)], AS_JSON);
      expect(things.kept.metrics).toMatchObject({ misses: 1, reshaped: 1 });
    });

    it('is so too when it is not kept, and what becomes null is null', async () => {
      const things = new ThingsCache(fixture.create());
      expectAll([await things.unkept.get(['1'], source.fetch)], AS_JSON);
      source.value = NaN;
      expectAll([await things.noNull.get(['1'], source.fetch), await things.noNull.get(['1'], source.fetch)], null);
      expect(source.fetches).toBe(3); // NaN has become null, which this bucket does not keep
    });

    it('is so too when it is written', async () => {
      const cache = fixture.create();
      await cache.set('things:1', unplain());
      expect(await cache.get('things:1')).toStrictEqual(AS_JSON);
    });

    it('is an error that names the place where a cache refuses such values, and nothing is kept', async () => {
      const cache = fixture.create({ shouldRefuseUnplainValues: true });
      const things = new ThingsCache(cache);
      source.hold();
      const reads = [things.kept.get(['1'], source.fetch), things.kept.getAllowingStale(['1'], source.fetch)];
      await source.hasBegun(1);
      source.letGo();
      const refused = {
        code: 'CACHE_VALUE_NOT_PLAIN',
        message: expect.stringMatching(/things:kept:1 .*value\.at is a Date/),
      };
      for (const read of reads) await expect(read).rejects.toMatchObject(refused);
      expect(await cache.status('things:kept:1')).toBe('empty');
      await expect(cache.set('things:1', { n: -0 })).rejects.toMatchObject({ code: 'CACHE_VALUE_NOT_PLAIN' });
      source.value = { ...AS_JSON, note: undefined };
      expect(await things.kept.get(['1'], source.fetch)).toEqual(AS_JSON);
    });

    it('that has no JSON form at all is an error everywhere, which names the place', async () => {
      source.value = { total: { amount: 10n } };
      await expect(new ThingsCache(fixture.create()).kept.get(['1'], source.fetch)).rejects.toMatchObject({
        code: 'CACHE_VALUE_NOT_SERIALIZABLE',
        message: expect.stringContaining('value.total.amount is a bigint'),
      });
    });
  },
);

describe('[B12] a value that JSON changes, while the store is away', () => {
  it('is what it would be with the store', async () => {
    const caches = [false, true].map((shouldRefuseUnplainValues) =>
      createCache({ redisUrl: 'redis://127.0.0.1:1', shouldRefuseUnplainValues }),
    );
    const [things, strict] = caches.map((cache) => new ThingsCache(cache)) as [ThingsCache, ThingsCache];
    const source = new CountingSource<unknown>(unplain());
    expectAll([await things.kept.get(['1'], source.fetch)], AS_JSON);
    expect(things.kept.metrics).toMatchObject({ bypassed: 1, reshaped: 1 });
    await expect(strict.kept.get(['1'], source.fetch)).rejects.toMatchObject({ code: 'CACHE_VALUE_NOT_PLAIN' });
    source.value = { total: 1n };
    await expect(things.kept.get(['1'], source.fetch)).rejects.toMatchObject({ code: 'CACHE_VALUE_NOT_SERIALIZABLE' });
    await Promise.all(caches.map((cache) => cache.close()));
  });
});
