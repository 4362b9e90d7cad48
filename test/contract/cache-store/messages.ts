import { entry, membership, record } from '@bff/infra/cache/dependencies';
import type { CacheStore, InvalidationNotice, LeaseEnd } from '@bff/infra/cache/protocol/cache-store';
import { expect } from '../expect.js';
import { eventuallySeen, put, startBuild, write, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** Which messages the store sends to its listeners in every process. */
export function describeMessages({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('messages', () => {
    it('[J3] tell how a lease ended, with the code and the message of a failure', async () => {
      const { store, other } = await create();
      const ends = leaseEnds(other);
      const failing = await startBuild(store, 'orders:failing');
      const failure = { code: 'SF_TIMEOUT', message: 'no answer: "x", *, \n, ünï' };
      await store.release({ key: 'orders:failing', leaseId: failing.leaseId, failure });
      const nameless = await startBuild(store, 'orders:nameless');
      const message = { code: undefined, message: 'it has no code' };
      await store.release({ key: 'orders:nameless', leaseId: nameless.leaseId, failure: message });
      const quiet = await startBuild(store, 'orders:quiet');
      await store.release({ key: 'orders:quiet', leaseId: quiet.leaseId });
      await eventuallySeen(
        () => ends,
        (seen) => seen.length === 3,
      );
      expect(ends).toEqual([
        { key: 'orders:failing', leaseId: failing.leaseId, failure },
        { key: 'orders:nameless', leaseId: nameless.leaseId, failure: message },
        { key: 'orders:quiet', leaseId: quiet.leaseId },
      ]);
    });

    it('tell when a lease ends by a commit, a refusal, a deletion, a write or a takeover', async () => {
      const { store, other } = await create();
      const ends = leaseEnds(other);
      const [committed, refused, deleted, overwritten, doomed] = await Promise.all(
        ['committed', 'refused', 'deleted', 'overwritten', 'doomed'].map((key) => startBuild(store, key)),
      );
      await committed?.commit('v');
      await store.invalidate([record('Order', '1'), entry('deleted')]);
      await refused?.commit('v', [record('Order', '1')]);
      await write(store, 'overwritten', 'v');
      await startBuild(store, 'doomed', { known: [record('Order', '1')] });
      const expected = [committed, deleted, refused, overwritten, doomed].map((b) => ({
        key: b?.key,
        leaseId: b?.leaseId,
      }));
      await eventuallySeen(
        () => ends,
        (seen) => seen.length >= expected.length,
      );
      // The messages of different partitions may arrive in any order.
      const byKey = (a: { key?: string | undefined }, b: { key?: string | undefined }) =>
        (a.key ?? '') < (b.key ?? '') ? -1 : 1;
      expect([...ends].sort(byKey)).toEqual([...expected].sort(byKey));
    });

    it('tell nothing of a release by somebody who does not hold the lease', async () => {
      const { store, other } = await create();
      const ends = leaseEnds(other);
      const build = await startBuild(store, 'k');
      await store.release({ key: 'k', leaseId: 'somebody-else', failure: { code: 'X', message: 'not mine' } });
      await store.release({ key: 'k', leaseId: build.leaseId });
      await eventuallySeen(
        () => ends,
        (seen) => seen.length > 0,
      );
      expect(ends).toEqual([{ key: 'k', leaseId: build.leaseId }]);
    });

    it('tell of invalidations and writes, and which fills they come after', async () => {
      const { store, other } = await create();
      const notices = invalidationNotices(other);
      const before = await startBuild(store, 'orders:a');
      await store.invalidate([record('Order', '1'), membership('Order')]);
      await eventuallySeen(
        () => after(notices, 'orders:a', before.start).length,
        (count) => count === 1,
      );
      const [notice] = after(notices, 'orders:a', before.start);
      expect(notice?.dependencies).toEqual([record('Order', '1'), membership('Order')]);
      await store.invalidate([entry('orders:a')]);
      const between = await startBuild(store, 'orders:a');
      await write(store, 'orders:a', 'v');
      await eventuallySeen(
        () => after(notices, 'orders:a', between.start).length,
        (count) => count === 1,
      );
      expect(after(notices, 'orders:a', between.start)[0]?.dependencies).toEqual([entry('orders:a')]);
      await store.invalidate([record('Other', '1'), entry('orders:a')]);
      const later = await startBuild(store, 'orders:a');
      await put(store, 'end', 'v');
      await store.invalidate([entry('end')]);
      await eventuallySeen(
        () => notices.length,
        () => notices.some((n) => n.dependencies.includes(entry('end'))),
      );
      const notEnd = notices.filter((n) => !n.dependencies.includes(entry('end')));
      expect(after(notEnd, 'orders:a', later.start)).toEqual([]);
    });

    it('end for a listener that unsubscribed, and for it only', async () => {
      const { store } = await create();
      const [left, stayed]: [LeaseEnd[], LeaseEnd[]] = [[], []];
      const unsubscribe = store.onLeaseEnd((end) => left.push(end));
      store.onLeaseEnd((end) => stayed.push(end));
      await put(store, 'a', 'v');
      await eventuallySeen(
        () => left.length + stayed.length,
        (count) => count === 2,
      );
      unsubscribe();
      await put(store, 'b', 'v');
      await eventuallySeen(
        () => stayed.length,
        (count) => count === 2,
      );
      expect(left).toHaveLength(1);
    });
  });
}

function leaseEnds(store: CacheStore): LeaseEnd[] {
  const ends: LeaseEnd[] = [];
  store.onLeaseEnd((end) => ends.push(end));
  return ends;
}

function invalidationNotices(store: CacheStore): InvalidationNotice[] {
  const notices: InvalidationNotice[] = [];
  store.onInvalidation((notice) => notices.push(notice));
  return notices;
}

function after(notices: InvalidationNotice[], key: string, start: Parameters<InvalidationNotice['isAfter']>[1]) {
  return notices.filter((notice) => notice.isAfter(key, start));
}
