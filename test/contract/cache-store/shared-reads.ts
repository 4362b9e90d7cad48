import { record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import { put, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** `requestRead`: a caller may share a read only while it is open. */
export function describeSharedReads({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('reads that callers share', () => {
    it('answers like a read of one caller', async () => {
      const { store } = await create();
      await put(store, 'orders:a', 'a');
      const [found, none] = ['orders:a', 'orders:b'].map((key) => store.requestRead(key).reply);
      expect((await found)?.bytes.toString()).toBe('a');
      expect(await none).toBeUndefined();
    });

    it('is open no more once it is answered', async () => {
      const { store } = await create();
      const reads = Array.from({ length: 20 }, (_, i) => store.requestRead(`orders:${i}`));
      await Promise.all(reads.map(({ reply }) => reply));
      expect(reads.filter(({ isOpen }) => isOpen)).toEqual([]);
    });

    it('is not open to callers who come after an invalidation that came after it', async () => {
      const { store, other } = await create();
      await put(store, 'orders:a', 'before', [record('Order', '1')]);
      const reads = ['orders:b', 'orders:a', 'orders:c'].map((key) => store.requestRead(key));
      await other.invalidate([record('Order', '1')]);
      expect(reads.filter(({ isOpen }) => isOpen)).toEqual([]);
      await Promise.all(reads.map(({ reply }) => reply));
      expect(await store.requestRead('orders:a').reply).toBeUndefined();
    });
  });
}
