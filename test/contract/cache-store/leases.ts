import { entry, record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import { begin, eventuallySeen, put, startBuild, text, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** Which caller receives the lease to build, for how long, and which one takes it over. */
export function describeLeases({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('leases', () => {
    it('[P1] [J1] grants one lease to a hundred that ask together, and names the holder to the others', async () => {
      const { store, other } = await create();
      const asked = Array.from({ length: 100 }, (_, i) => begin(i % 2 ? store : other, 'k', { leaseMs: 20_000 }));
      const answers = await Promise.all(asked);
      const granted = answers.filter(({ reply }) => reply.kind === 'lease');
      expect(granted).toHaveLength(1);
      for (const { reply } of answers) {
        if (reply.kind === 'lease') continue;
        expect(reply).toMatchObject({ kind: 'wait', leaseId: granted[0]?.leaseId });
        expect(reply.kind === 'wait' && reply.expiresInMs > 0 && reply.expiresInMs <= 20_000).toBe(true);
      }
    });

    it('[J7] frees the key when the lease runs out; then fences the slow builder by the newer value', async () => {
      const { store, other } = await create();
      const slow = await startBuild(store, 'k', { leaseMs: 100 });
      await eventuallySeen(
        () => store.status('k'),
        ({ status }) => status === 'empty',
      );
      expect(await store.renew('k', slow.leaseId, 1_000)).toBe(false);
      await put(other, 'k', 'newer');
      expect(await slow.commit('slow')).toBe('fenced');
      expect(await text(store, 'k')).toBe('newer');
    });

    it('grants the lease of a dead builder to the next one that asks', async () => {
      const { store, other } = await create();
      const dead = await startBuild(store, 'k', { leaseMs: 50 });
      const taken = await eventuallySeen(
        () => begin(other, 'k'),
        ({ reply }) => reply.kind === 'lease',
      );
      expect(taken.leaseId).not.toBe(dead.leaseId);
      expect(await store.status('k')).toMatchObject({ status: 'pending', leaseId: taken.leaseId });
    });

    it('prolongs a lease for its holder only', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, 'k', { leaseMs: 5_000 });
      expect(await other.renew('k', 'somebody-else', 60_000)).toBe(false);
      expect((await store.status('k')).expiresInMs).toBeLessThanOrEqual(5_000);
      expect(await store.renew('k', build.leaseId, 60_000)).toBe(true);
      expect((await store.status('k')).expiresInMs).toBeGreaterThan(5_000);
      expect(await store.renew('nothing', build.leaseId, 60_000)).toBe(false);
    });

    it('keeps the start point when a lease is renewed', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k', { leaseMs: 5_000 });
      await store.invalidate([record('Order', '1')]);
      await store.renew('k', build.leaseId, 5_000);
      const { reply } = await begin(store, 'k', { known: [record('Order', '1')] });
      expect(reply.kind).toBe('lease');
      expect(await build.commit('old', [record('Order', '1')])).toBe('stale');
    });

    it('[J4] frees the key at once when its holder releases it, and for nobody else', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, 'k');
      await other.release({ key: 'k', leaseId: 'somebody-else' });
      expect(await other.status('k')).toMatchObject({ status: 'pending', leaseId: build.leaseId });
      await store.release({ key: 'k', leaseId: build.leaseId, failure: { code: 'X', message: 'the source said no' } });
      expect(await other.status('k')).toEqual({ status: 'empty' });
      const next = await startBuild(other, 'k');
      await store.release({ key: 'k', leaseId: build.leaseId });
      expect(await other.status('k')).toMatchObject({ status: 'pending', leaseId: next.leaseId });
    });

    it('[J8] [J14] takes over a lease that a known dependency has overtaken, and no other', async () => {
      const { store, other } = await create();
      const doomed = await startBuild(store, 'k');
      await store.invalidate([record('Order', '1')]);
      const blind = await begin(other, 'k');
      expect(blind.reply).toMatchObject({ kind: 'wait', leaseId: doomed.leaseId });
      const unrelated = await begin(other, 'k', { known: [record('Order', '2')] });
      expect(unrelated.reply).toMatchObject({ kind: 'wait', leaseId: doomed.leaseId });
      const rebuild = await startBuild(other, 'k', { known: [record('Order', '2'), record('Order', '1')] });
      expect(await doomed.commit('old', [record('Order', '1')])).toBe('stale');
      expect(await store.status('k')).toMatchObject({ status: 'pending', leaseId: rebuild.leaseId });
      const third = await begin(store, 'k', { known: [record('Order', '1')] });
      expect(third.reply).toMatchObject({ kind: 'wait', leaseId: rebuild.leaseId });
      expect(await rebuild.commit('new', [record('Order', '1')])).toBe('ok');
      expect(await text(store, 'k')).toBe('new');
    });

    it('[J14] ends the lease of a key that is deleted, so that exactly one more build follows', async () => {
      const { store, other } = await create();
      const old = await startBuild(store, 'orders:detail:1');
      expect(await other.invalidate([entry('orders:detail:1')])).toEqual({ dropped: 0, keys: [], deferred: 0 });
      expect(await store.status('orders:detail:1')).toEqual({ status: 'empty' });
      expect(await store.renew('orders:detail:1', old.leaseId, 5_000)).toBe(false);
      const next = await startBuild(other, 'orders:detail:1');
      expect((await begin(store, 'orders:detail:1')).reply).toMatchObject({ kind: 'wait', leaseId: next.leaseId });
      expect(await old.commit('old')).toBe('stale');
      expect(await next.commit('new')).toBe('ok');
      expect(await text(store, 'orders:detail:1')).toBe('new');
    });

    it('holds the leases of different keys apart', async () => {
      const { store } = await create();
      const [a, b] = [await startBuild(store, 'orders:a'), await startBuild(store, 'orders:b')];
      await store.release({ key: 'orders:a', leaseId: b.leaseId });
      expect(await store.status('orders:a')).toMatchObject({ status: 'pending', leaseId: a.leaseId });
      expect(await b.commit('b')).toBe('ok');
      expect(await store.status('orders:a')).toMatchObject({ status: 'pending', leaseId: a.leaseId });
    });
  });
}
