import { entry, membership, namespace, record, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import { allKeys, put, startBuild, sweepAll, text, times, write, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** Which entries an invalidation drops and reports, and that no trace of them remains. */
export function describeInvalidations({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('invalidations', () => {
    it('[P5] [P8] [E6] drop exactly the dependants, and name them', async () => {
      const { store, other } = await create();
      await put(store, 'orders:account:1', 'list', [record('Order', '1'), record('Order', '2'), membership('Order')]);
      await put(store, 'orders:detail:1', 'detail', [record('Order', '1'), record('OrderItem', '11')]);
      await put(store, 'orders:account:2', 'other account', [record('Order', '3'), membership('Order')]);
      const { dropped, keys, deferred } = await other.invalidate([record('Order', '1')]);
      expect({ dropped, deferred, keys: [...keys].sort() }).toEqual({
        dropped: 2,
        deferred: 0,
        keys: ['orders:account:1', 'orders:detail:1'],
      });
      expect(await text(store, 'orders:account:1')).toBeUndefined();
      expect(await text(store, 'orders:detail:1')).toBeUndefined();
      expect(await text(store, 'orders:account:2')).toBe('other account');
    });

    it('[P15] count an entry once, however many of its dependencies fell, and a repeat drops nothing', async () => {
      const { store } = await create();
      await put(store, 'orders:a', 'a', [record('Order', '1'), record('Order', '2')]);
      const both = [record('Order', '1'), record('Order', '2'), namespace('orders'), entry('orders:a')];
      expect(await store.invalidate([...both, ...both])).toEqual({ dropped: 1, keys: ['orders:a'], deferred: 0 });
      expect(await store.invalidate(both)).toEqual({ dropped: 0, keys: [], deferred: 0 });
    });

    it('of nothing, or of what nobody depends on, drop nothing', async () => {
      const { store } = await create();
      await put(store, 'orders:a', 'a', [record('Order', '1')]);
      expect(await store.invalidate([])).toEqual({ dropped: 0, keys: [], deferred: 0 });
      expect(await store.invalidate([record('Order', '2')])).toEqual({ dropped: 0, keys: [], deferred: 0 });
      expect(await text(store, 'orders:a')).toBe('a');
    });

    it('that are only waited for (settle) drop nothing and refuse no build', async () => {
      const { store, other } = await create();
      await put(store, 'orders:a', 'a', [record('Order', '1')]);
      const build = await startBuild(store, 'orders:b');
      await Promise.all([other.settle('orders:a'), other.settle('orders:b')]);
      expect(await build.commit('b', [record('Order', '1')])).toBe('ok');
      expect([await text(store, 'orders:a'), await text(other, 'orders:b')]).toEqual(['a', 'b']);
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(2);
    });

    it('[E10] follow the dependencies of the last build, not of those before it', async () => {
      const { store } = await create();
      await put(store, 'orders:a', '1', [record('Order', '1'), record('Order', '2')]);
      await store.invalidate([record('Order', '1')]);
      await put(store, 'orders:a', '2', [record('Order', '3')]);
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(0);
      expect((await store.invalidate([record('Order', '2')])).dropped).toBe(0);
      expect(await text(store, 'orders:a')).toBe('2');
      expect((await store.invalidate([record('Order', '3')])).dropped).toBe(1);
    });

    it('[invariant 11] leave nothing in the index, however the entries went', async () => {
      const { store, countIndexKeys } = await create();
      await put(store, 'orders:a', 'a', [record('Order', '1'), membership('Order')]);
      await write(store, 'orders:a', 'b', [record('Order', '2')]);
      await put(store, 'catalog:b', 'b', [record('Product2', '1')]);
      await put(store, 'no-namespace', 'c');
      const refused = await startBuild(store, 'orders:c');
      const released = await startBuild(store, 'orders:d');
      const ended = await startBuild(store, 'orders:e');
      expect(await countIndexKeys()).toBeGreaterThan(0);
      await store.invalidate([namespace('orders'), record('Product2', '1'), entry('no-namespace'), entry('orders:e')]);
      expect(await refused.commit('c')).toBe('stale');
      expect(await ended.commit('e')).toBe('stale');
      await store.release({ key: 'orders:d', leaseId: released.leaseId });
      await sweepAll(store);
      expect(await allKeys(store)).toEqual([]);
      expect(await countIndexKeys()).toBe(0);
    });

    it('[E20] of 1,500 dependants hit all of them at once, and report at most 1,000 keys of those that are removed', async () => {
      const { store, other, countIndexKeys } = await create({ inlineMax: 10_000 });
      await times(1_500, (i) => write(store, `orders:account:${i}`, 'v', [record('Product2', '1')]));
      const { dropped, keys, deferred } = await other.invalidate([record('Product2', '1')]);
      expect(deferred > 0 || dropped === 1_500).toBe(true); // one script removes some 800 entries and index members
      expect(dropped).toBeGreaterThanOrEqual(150);
      expect(keys).toHaveLength(Math.min(dropped, 1_000));
      expect(new Set(keys).size).toBe(keys.length);
      await times(1_500, async (i) => expect(await store.read(`orders:account:${i}`)).toBeUndefined());
      expect(dropped + (await sweepAll(store))).toBe(1_500);
      expect(await countIndexKeys()).toBe(0);
    }, 30_000);

    it('[E20] of a table or a namespace with thousands of entries refuse all of them at once, and free them by sweeping', async () => {
      const { store, other, countIndexKeys } = await create();
      await times(2_000, (i) => write(store, `orders:account:${i}`, 'v', [record('Order', String(i))]));
      await times(300, (i) => write(store, `catalog:plan:${i}`, 'v', [record('Product2', String(i))]));
      await times(200, (i) => write(store, `billing:plan:${i}`, 'kept', [record('Invoice', String(i))]));
      const late = await startBuild(store, 'orders:late');
      await other.invalidate([wholeTable('Order')]);
      await other.invalidate([namespace('catalog')]);
      await times(2_000, async (i) => expect(await store.read(`orders:account:${i}`)).toBeUndefined());
      await times(300, async (i) => expect(await store.read(`catalog:plan:${i}`)).toBeUndefined());
      expect(await text(store, 'billing:plan:7')).toBe('kept');
      expect(await late.commit('old', [record('Order', 'new')])).toBe('stale');
      await put(other, 'orders:account:5', 'rebuilt', [record('Order', '5')]); // before the sweeper reaches it
      await sweepAll(store);
      expect(await text(store, 'orders:account:5')).toBe('rebuilt');
      expect((await allKeys(store)).filter((key) => !key.startsWith('billing:'))).toEqual(['orders:account:5']);
      expect((await other.invalidate([record('Order', '5')])).dropped).toBe(1); // the sweeper has left its index
      await store.invalidate([wholeTable('Invoice')]);
      await sweepAll(store);
      expect(await allKeys(store)).toEqual([]);
      expect(await countIndexKeys()).toBe(0);
    }, 30_000);

    it('of more dependants than are removed at once refuse all of them at once, and free them by sweeping', async () => {
      const { store, other, countIndexKeys } = await create({ inlineMax: 100 });
      await times(700, (i) => write(store, `orders:account:${i}`, 'v', [record('Product2', '1')]));
      await put(store, 'orders:other', 'kept', [record('Product2', '2')]);
      const late = await startBuild(store, 'orders:late');
      const { dropped } = await other.invalidate([record('Product2', '1')]);
      await times(700, async (i) => expect(await store.read(`orders:account:${i}`)).toBeUndefined());
      expect(await late.commit('old', [record('Product2', '1')])).toBe('stale');
      await put(other, 'orders:account:5', 'rebuilt', [record('Product2', '1')]); // before it is swept
      expect(await text(store, 'orders:other')).toBe('kept');
      const freed = await sweepAll(store);
      // The rebuild itself may have freed the old entry before the sweeper reached it.
      expect([699, 700]).toContain(dropped + freed);
      expect(await text(store, 'orders:account:5')).toBe('rebuilt');
      expect(await text(store, 'orders:other')).toBe('kept');
      expect((await allKeys(store)).sort()).toEqual(['orders:account:5', 'orders:other']);
      await store.invalidate([namespace('orders')]);
      await sweepAll(store);
      expect(await countIndexKeys()).toBe(0);
    }, 30_000);

    it('that are deferred outlast many others: what depends on them is refused until it is freed', async () => {
      const { store, other, countIndexKeys } = await create({ inlineMax: 1, windowMax: 20 });
      await times(30, (i) => write(store, `orders:account:${i}`, 'old', [record('Product2', '1')]));
      await other.invalidate([record('Product2', '1')]);
      for (let i = 0; i < 60; i += 1) await other.invalidate([record('Order', String(i))]);
      await times(30, async (i) => expect(await store.read(`orders:account:${i}`)).toBeUndefined());
      await put(other, 'orders:account:5', 'rebuilt', [record('Product2', '1')]);
      await sweepAll(store);
      expect(await text(store, 'orders:account:5')).toBe('rebuilt');
      expect(await allKeys(store)).toEqual(['orders:account:5']);
      await store.invalidate([entry('orders:account:5')]);
      expect(await countIndexKeys()).toBe(0);
    });

    it('of any one of 2,000 dependencies drop the entry, and all 2,000 may come in one call', async () => {
      const { store, other, countIndexKeys } = await create();
      const many: Dependency[] = Array.from({ length: 2_000 }, (_, i) => record('OrderItem', `item-${i}`));
      for (const one of [many[0], many[999], many[1_999]]) {
        await put(store, 'orders:wide', 'v', many);
        expect((await other.invalidate([one as Dependency])).dropped).toBe(1);
      }
      await put(store, 'orders:wide', 'v', many);
      expect(await other.invalidate(many)).toEqual({ dropped: 1, keys: ['orders:wide'], deferred: 0 });
      const late = await startBuild(store, 'orders:wide');
      await other.invalidate([...many].reverse());
      expect(await late.commit('v', [many[1_000] as Dependency])).toBe('stale');
      expect(await countIndexKeys()).toBe(0);
    });
  });
}
