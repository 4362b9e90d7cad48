import { record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import {
  allKeys,
  begin,
  eventuallySeen,
  put,
  startBuild,
  sweepAll,
  text,
  times,
  write,
  type StoreFactory,
} from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** When an entry ends by its TTL, and that a sweep leaves no trace of it. */
export function describeExpiry({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('expiry', () => {
    it('[P12] [P13] ends an entry when its TTL has passed, for every kind of question', async () => {
      const { store, other } = await create();
      await put(store, 'whmcs:invoices:1', 'v', [record('Order', '1')], 50);
      await eventuallySeen(
        () => text(other, 'whmcs:invoices:1'),
        (seen) => seen === undefined,
      );
      expect(await store.status('whmcs:invoices:1')).toEqual({ status: 'empty' });
      expect(await allKeys(store)).toEqual([]);
      expect(await store.memoryUsage(['whmcs:invoices:1'])).toBe(0);
      expect(await store.invalidate([record('Order', '1')])).toEqual({ dropped: 0, keys: [], deferred: 0 });
      expect((await begin(store, 'whmcs:invoices:1')).reply.kind).toBe('lease');
    });

    it('counts the TTL from the start of the fetch, not from the commit', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      expect(await build.commit('v', [], { ttlMs: 60_000, begunMsAgo: 59_800 })).toBe('ok');
      await eventuallySeen(
        () => text(store, 'k'),
        (seen) => seen === undefined,
      ); // within four seconds; from the commit it would take sixty
    });

    it('keeps an entry without a TTL, and one whose TTL has not passed', async () => {
      const { store } = await create();
      await put(store, 'kept', 'v');
      await put(store, 'long', 'v', [], 60_000);
      await put(store, 'short', 'v', [], 20);
      await eventuallySeen(
        () => text(store, 'short'),
        (seen) => seen === undefined,
      );
      await sweepAll(store);
      expect((await allKeys(store)).sort()).toEqual(['kept', 'long']);
    });

    it('gives a rebuilt entry the TTL of its last build', async () => {
      const { store } = await create();
      await write(store, 'k', 'short', [], 30);
      await write(store, 'k', 'kept');
      await write(store, 'marker', 'v', [], 60);
      await eventuallySeen(
        () => text(store, 'marker'),
        (seen) => seen === undefined,
      );
      await sweepAll(store);
      expect(await text(store, 'k')).toBe('kept');
    });

    it('[invariant 11] leaves nothing in the index of 600 expired entries once they are swept', async () => {
      const { store, other, countIndexKeys } = await create();
      await times(600, (i) => write(store, `whmcs:invoice:${i}`, 'v', [record('Invoice', String(i))], 30));
      await startBuild(store, 'whmcs:dead-builder', { leaseMs: 30 });
      let freed = 0;
      await eventuallySeen(
        async () => {
          const both = await Promise.all([sweepAll(store), sweepAll(other)]); // any number of processes may sweep
          freed += both[0] + both[1];
          return countIndexKeys();
        },
        (left) => left === 0,
      );
      expect(freed).toBe(600);
      expect(await store.sweep()).toEqual({ freed: 0, more: false });
    });

    it('sweeps nothing that lives', async () => {
      const { store } = await create();
      await put(store, 'orders:a', 'a', [record('Order', '1')]);
      await put(store, 'orders:b', 'b', [record('Order', '1')], 60_000);
      const build = await startBuild(store, 'orders:c');
      expect(await store.sweep()).toEqual({ freed: 0, more: false });
      expect(await text(store, 'orders:a')).toBe('a');
      expect(await store.status('orders:c')).toMatchObject({ status: 'pending', leaseId: build.leaseId });
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(2);
    });
  });
}
