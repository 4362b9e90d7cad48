import { namespace, record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import { begin, eventuallySeen, put, startBuild, text, write, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** `write` without a lease stores in any case, as if the value was fetched at the instant at which it is stored. */
export function describeWrites({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('writes', () => {
    it('replaces a valid entry together with its dependencies', async () => {
      const { store, other } = await create();
      await put(store, 'orders:a', 'built', [record('Order', '1')]);
      await write(other, 'orders:a', 'written', [record('Order', '2')]);
      expect(await text(store, 'orders:a')).toBe('written');
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(0);
      expect(await text(store, 'orders:a')).toBe('written');
      expect(await store.invalidate([record('Order', '2')])).toEqual({ dropped: 1, keys: ['orders:a'], deferred: 0 });
      expect(await text(store, 'orders:a')).toBeUndefined();
    });

    it('ends a build of the key, whose commit is refused', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, 'orders:a');
      await write(other, 'orders:a', 'written');
      expect((await begin(store, 'orders:a')).reply.kind).toBe('fresh');
      expect(await build.commit('built')).toBe('stale');
      expect(await text(store, 'orders:a')).toBe('written');
      await other.invalidate([namespace('orders')]);
      expect(await store.status('orders:a')).toEqual({ status: 'empty' });
    });

    it('leaves builds and entries of other keys alone', async () => {
      const { store } = await create();
      await put(store, 'orders:b', 'b', [record('Order', '1')]);
      const build = await startBuild(store, 'orders:c');
      await write(store, 'orders:a', 'a', [record('Order', '1')]);
      expect(await text(store, 'orders:b')).toBe('b');
      expect(await build.commit('c', [record('Order', '1')])).toBe('ok');
    });

    it('counts as fetched after every invalidation before it', async () => {
      const { store } = await create();
      await store.invalidate([record('Order', '1')]);
      await write(store, 'orders:a', 'a', [record('Order', '1')]);
      expect(await text(store, 'orders:a')).toBe('a');
    });

    it('keeps a value for its TTL', async () => {
      const { store } = await create();
      await write(store, 'short', 'v', [], 40);
      await write(store, 'long', 'v', [], 60_000);
      await eventuallySeen(
        () => text(store, 'short'),
        (seen) => seen === undefined,
      );
      expect(await text(store, 'long')).toBe('v');
    });
  });
}
