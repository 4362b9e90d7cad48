import { membership, record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import { begin, put, startBuild, text, value, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** How an entry is read and built, and every answer to a commit. */
export function describeBuilds({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('builds', () => {
    it('answers undefined for what was never stored', async () => {
      const { store } = await create();
      expect(await store.read('orders:account:1')).toBeUndefined();
      expect(await store.status('orders:account:1')).toEqual({ status: 'empty' });
    });

    it('[J2] serves what was built, in every process', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, 'orders:account:1');
      expect(await build.commit('old', [record('Order', '1'), membership('Order')])).toBe('ok');
      expect(await store.read('orders:account:1')).toMatchObject(value('old'));
      expect(await text(other, 'orders:account:1')).toBe('old');
      const { reply } = await begin(other, 'orders:account:1');
      expect(reply).toMatchObject({ kind: 'fresh', value: value('old') });
    });

    it('[J13] goes from empty over pending to exists and back', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, 'k', { leaseMs: 20_000 });
      const pending = await other.status('k');
      expect(pending).toMatchObject({ status: 'pending', leaseId: build.leaseId });
      expect(pending.expiresInMs).toBeGreaterThan(0);
      expect(pending.expiresInMs).toBeLessThanOrEqual(20_000);
      await build.commit('v');
      expect(await other.status('k')).toEqual({ status: 'exists' });
      await store.invalidate([record('Nobody', '1')]);
      expect((await other.status('k')).status).toBe('exists');
    });

    it('[invariant 8] stores for a builder whose lease ran out if nobody built since and nothing was invalidated', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      await store.release({ key: 'k', leaseId: build.leaseId });
      expect(await build.commit('late')).toBe('ok');
      expect(await text(store, 'k')).toBe('late');
    });

    it('[invariant 2] [invariant 8] answers stale when a dependency was invalidated since the start', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      await store.invalidate([record('Order', '1')]);
      expect(await build.commit('old', [record('Order', '1')])).toBe('stale');
      expect(await store.status('k')).toEqual({ status: 'empty' });
    });

    it('[invariant 17] answers lost for a start point of another history', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      const request = { key: 'k', leaseId: build.leaseId, value: value('v'), dependencies: [], ttlMs: undefined };
      const foreign = { ...build.start, tip: '00000000deadbeef' };
      expect(await store.commit({ ...request, start: foreign })).toBe('lost');
      const future = { ...build.start, clock: build.start.clock + 1 };
      expect(await store.commit({ ...request, start: future })).toBe('lost');
      expect(await store.status('k')).toEqual({ status: 'empty' });
    });

    it('answers lost when more was invalidated since than it remembers, and keeps what was stored', async () => {
      const { store } = await create({ windowMax: 5 });
      await put(store, 'stored', 'v', [record('Order', 'x')]);
      const one = await startBuild(store, 'one');
      for (let i = 0; i < 10; i += 1) await store.invalidate([record('Order', String(i))]);
      expect(await one.commit('v', [record('Order', 'unrelated')])).toBe('lost');
      const two = await startBuild(store, 'two');
      await store.invalidate(Array.from({ length: 10 }, (_, i) => record('Product2', String(i))));
      expect(await two.commit('v', [record('Order', 'unrelated')])).toBe('lost');
      expect(await text(store, 'stored')).toBe('v');
      const young = await startBuild(store, 'young');
      await store.invalidate([record('Order', '1')]);
      expect(await young.commit('v', [record('Order', 'unrelated')])).toBe('ok');
    });

    it('answers fenced while a newer builder holds the lease, and leaves that lease alone', async () => {
      const { store, other } = await create();
      const slow = await startBuild(store, 'k');
      await store.release({ key: 'k', leaseId: slow.leaseId });
      const newer = await startBuild(other, 'k');
      expect(await slow.commit('slow')).toBe('fenced');
      expect(await store.status('k')).toMatchObject({ status: 'pending', leaseId: newer.leaseId });
      expect(await newer.commit('newer')).toBe('ok');
      expect(await text(store, 'k')).toBe('newer');
    });

    it('answers fenced once a newer builder has stored, and keeps the newer value', async () => {
      const { store, other } = await create();
      const slow = await startBuild(store, 'k');
      await store.release({ key: 'k', leaseId: slow.leaseId });
      await put(other, 'k', 'newer');
      expect(await slow.commit('slow')).toBe('fenced');
      expect(await text(store, 'k')).toBe('newer');
    });

    it('answers expired when the TTL has passed already, and ends the lease', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      expect(await build.commit('v', [], { ttlMs: 60_000, begunMsAgo: 600_000 })).toBe('expired');
      expect(await store.status('k')).toEqual({ status: 'empty' });
    });

    it('answers stale rather than expired or fenced, so that nobody takes the value for a valid one', async () => {
      const { store } = await create();
      const build = await startBuild(store, 'k');
      await store.invalidate([record('Order', '1')]);
      await store.release({ key: 'k', leaseId: build.leaseId });
      await put(store, 'k', 'newer', [record('Order', '1')]);
      const options = { ttlMs: 60_000, begunMsAgo: 600_000 };
      expect(await build.commit('old', [record('Order', '1')], options)).toBe('stale');
      expect(await text(store, 'k')).toBe('newer');
    });

    it('[P24] keeps every byte of a value, its codec, and an empty value', async () => {
      const { store } = await create();
      const bytes = Buffer.from(Array.from({ length: 256 * 1024 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
      for (const [i, stored] of [
        { codec: 255, bytes },
        { codec: 0, bytes: Buffer.alloc(0) },
        { codec: 7, bytes: Buffer.from('\0\r\n*{"a":null}\0') },
      ].entries()) {
        const { leaseId, start, key } = await startBuild(store, `binary:${i}`);
        const request = { key, leaseId, start, value: stored, dependencies: [record('Order', '1')], ttlMs: undefined };
        expect(await store.commit(request)).toBe('ok');
        const seen = await store.read(key);
        expect(seen?.codec).toBe(stored.codec);
        expect(seen?.bytes.equals(stored.bytes)).toBe(true);
        const { reply } = await begin(store, key);
        expect(reply.kind === 'fresh' && reply.value.bytes.equals(stored.bytes)).toBe(true);
      }
    });

    it('keeps its own copy of the bytes', async () => {
      const { store } = await create();
      const bytes = Buffer.from('before');
      await store.write({ key: 'k', value: { codec: 1, bytes }, dependencies: [], ttlMs: undefined });
      bytes.fill('x');
      expect(await text(store, 'k')).toBe('before');
    });
  });
}
