import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { entry, membership, namespace, record, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';

const KEY = 'orders:account:1';
const OWN = [record('Order', '801'), membership('Order')];
const WAYS: [string, Dependency][] = [
  ['by key', entry(KEY)],
  ['by record', record('Order', '801')],
  ['by membership', membership('Order')],
  ['by whole table', wholeTable('Order')],
  ['by namespace', namespace('orders')],
];

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')])(
  '[P25] [E16] the stale-fill race: $name',
  (fixture) => {
    let cache: CacheService;
    let invalidator: CacheService;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(async () => {
      fixture.reset();
      cache = fixture.create();
      invalidator = fixture.isShared ? fixture.create() : cache;
      await Promise.all([cache.open(), invalidator.open()]);
    });
    afterEach(() => fixture.closeAll());

    it.each(WAYS)('[E12] a fetch begun before an invalidation %s is not stored', async (_way, dependency) => {
      const source = new CountingSource('old', OWN);
      source.hold();
      const early = cache.getOrSet(KEY, source.fetch);
      await source.hasBegun(1);
      source.value = 'new';
      await invalidator.invalidate(dependency);
      source.letGo();
      expect(await early).toBe('old'); // it was asked for before the fetch began
      expect(await cache.get(KEY)).toBeUndefined();
      expect(await cache.getOrSet(KEY, source.fetch)).toBe('new');
      expect(await invalidator.get(KEY)).toBe('new');
      expect(source.fetches).toBe(2);
    });

    it.each(WAYS)(
      '[P26] a request after an invalidation %s does not join a fetch begun before, and does not wait for it',
      async (_way, dependency) => {
        const source = new CountingSource('old', OWN);
        source.hold();
        const early = cache.getOrSet(KEY, source.fetch);
        await source.hasBegun(1);
        const held = source.letGo.bind(source);
        await invalidator.invalidate(dependency);
        const other = new CountingSource('new', OWN);
        // The first fetch still hangs: a caller that waited for it would never receive an answer.
        expect(await invalidator.getOrSet(KEY, other.fetch, { dependsOn: OWN })).toBe('new');
        expect(await cache.getOrSet(KEY, other.fetch, { dependsOn: OWN })).toBe('new');
        expect(other.fetches).toBe(1);
        held();
        expect(await early).toBe('old');
        expect(await cache.get(KEY)).toBe('new');
      },
    );

    it('[invariant 1] a dependency that is read off the fetched value counts from the start of the fetch', async () => {
      const source = new CountingSource({ order: '801', version: 1 });
      const options = { dependsOn: (value: { order: string }) => [record('Order', value.order)] };
      source.hold();
      const early = cache.getOrSet(KEY, source.fetch, options);
      await source.hasBegun(1);
      const joined = cache.getOrSet(KEY, source.fetch, options);
      source.value = { order: '801', version: 2 };
      await invalidator.invalidate(record('Order', '801'));
      const after = [cache, invalidator].flatMap((c) => [
        c.getOrSet(KEY, source.fetch, options),
        c.getOrSet(KEY, source.fetch, options),
      ]);
      source.letGo();
      expect((await early).version).toBe(1);
      // Callers that arrived after the fetch had begun share the next build.
      expect((await joined).version).toBe(2);
      for (const value of await Promise.all(after)) expect(value.version).toBe(2);
      expect(source.fetches).toBe(2);
    });

    it('an invalidation of something else leaves the build alone', async () => {
      const source = new CountingSource('value', OWN);
      source.hold();
      const early = cache.getOrSet(KEY, source.fetch);
      await source.hasBegun(1);
      await invalidator.invalidate(
        record('Order', '802'),
        record('Account', '801'),
        wholeTable('Account'),
        namespace('catalog'),
      );
      const joined = cache.getOrSet(KEY, source.fetch);
      source.letGo();
      expect(await Promise.all([early, joined])).toEqual(['value', 'value']);
      expect(await invalidator.get(KEY)).toBe('value');
      expect(source.fetches).toBe(1);
    });

    it('[P5] [P8] [E6] drops exactly the dependants, and says which', async () => {
      await cache.getOrSet('orders:account:1', async () => 1, { dependsOn: [record('Order', 'a')] });
      await cache.getOrSet('orders:detail:a', async () => 1, { dependsOn: [record('Order', 'a')] });
      await cache.getOrSet('orders:account:2', async () => 2, { dependsOn: [record('Order', 'b')] });
      const { dropped, keys } = await invalidator.invalidate(record('Order', 'a'));
      expect(dropped).toBe(2);
      expect([...keys].sort()).toEqual(['orders:account:1', 'orders:detail:a']);
      expect(await cache.get('orders:account:2')).toBe(2);
      expect(await cache.get('orders:account:1')).toBeUndefined();
    });

    it('[P15] a repeated invalidation is harmless', async () => {
      await cache.getOrSet(KEY, async () => 1, { dependsOn: OWN });
      expect((await invalidator.invalidate(record('Order', '801'))).dropped).toBe(1);
      expect((await invalidator.invalidate(record('Order', '801'))).dropped).toBe(0);
      expect(await cache.getOrSet(KEY, async () => 2, { dependsOn: OWN })).toBe(2);
    });

    it('set ends builds of its key, is seen by everybody, and falls by its dependencies', async () => {
      const source = new CountingSource('fetched');
      source.hold();
      const builder = cache.getOrSet(KEY, source.fetch);
      await source.hasBegun(1);
      await invalidator.set(KEY, 'written', { dependsOn: [record('Order', '9')] });
      source.letGo();
      await builder;
      expect(await cache.get(KEY)).toBe('written');
      await invalidator.set(KEY, 'again', { dependsOn: [record('Order', '9')] });
      expect(await cache.get(KEY)).toBe('again');
      await cache.invalidate(record('Order', '9'));
      expect(await invalidator.get(KEY)).toBeUndefined();
    });
  },
);
