import { entry, namespace, record } from '@bff/infra/cache/dependencies';
import { expect } from '../expect.js';
import {
  allKeys,
  eventuallySeen,
  put,
  startBuild,
  text,
  times,
  write,
  type StoreFactory,
} from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/** How entries are listed, counted and measured. Keys are taken literally. */
export function describeDirectory({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('the directory of entries', () => {
    it('[P21] names each live key once over more than 1,000 of them, and no other', async () => {
      const { store, other } = await create();
      const expected = Array.from({ length: 1_300 }, (_, i) => `catalog:plan:${i}`);
      await times(1_300, (i) => write(store, expected[i] as string, `value ${i}`));
      await times(30, (i) => write(store, `catalog:expired:${i}`, 'v', [], 1));
      await times(30, (i) => write(store, `orders:dropped:${i}`, 'v'));
      await store.invalidate([namespace('orders')]);
      await startBuild(store, 'catalog:pending');
      const left = async () =>
        (await Promise.all(thirty('catalog:expired').map((key) => store.read(key)))).filter(Boolean);
      await eventuallySeen(left, (seen) => seen.length === 0);
      const keys = await allKeys(other);
      expect(keys).toHaveLength(1_300);
      expect(new Set(keys)).toEqual(new Set(expected));
    }, 30_000);

    it('[P21] names what lives throughout while others come and go', async () => {
      const { store } = await create();
      await times(1_100, (i) => write(store, `stays:${i}`, 'v'));
      await times(500, (i) => write(store, `goes:${i}`, 'v'));
      const seen: string[] = [];
      let page = 0;
      for await (const keys of store.keys()) {
        seen.push(...keys);
        page += 1;
        await store.invalidate([entry(`goes:${page}`)]);
        await write(store, `comes:${page}`, 'v');
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((key) => key.startsWith('stays:'))).toHaveLength(1_100);
    }, 30_000);

    it('[P21] counts the memory of the values it is asked for', async () => {
      const { store } = await create();
      await times(1_100, (i) => write(store, `catalog:${i}`, 'x'.repeat(100)));
      const keys = await allKeys(store);
      const all = await store.memoryUsage(keys);
      expect(all).toBeGreaterThan(1_100 * 100);
      expect(await store.memoryUsage(keys.slice(0, 550))).toBeLessThan(all);
      await write(store, 'catalog:big', 'x'.repeat(200_000));
      expect(await store.memoryUsage(['catalog:big'])).toBeGreaterThan(200_000);
      expect(await store.memoryUsage([])).toBe(0);
      expect(await store.memoryUsage(['catalog:nothing'])).toBe(0);
    }, 30_000);

    it('[P21] takes every character of a key literally', async () => {
      const { store, other } = await create();
      const keys = [
        'a:*',
        'a:?',
        'a:[b]',
        'a:b',
        'a:\\*',
        'a::b',
        'a:{b}',
        '{a}:b',
        'a:%3A',
        'a:b c',
        'ключ:ß',
        'a:"\'',
        ':',
        'a',
      ];
      for (const key of keys) await put(store, key, `value of ${key}`, [record('Order', key)]);
      expect((await allKeys(store)).sort()).toEqual([...keys].sort());
      for (const key of keys) expect(await text(other, key)).toBe(`value of ${key}`);
      expect(await other.invalidate([entry('a:*')])).toEqual({ dropped: 1, keys: ['a:*'], deferred: 0 });
      expect(await other.invalidate([record('Order', 'a:?')])).toEqual({ dropped: 1, keys: ['a:?'], deferred: 0 });
      const left = keys.filter((key) => key !== 'a:*' && key !== 'a:?');
      expect((await allKeys(store)).sort()).toEqual(left.sort());
      const fallen = await other.invalidate([namespace('a')]);
      expect([...fallen.keys].sort()).toEqual(left.filter((key) => key.startsWith('a:')).sort());
    });

    it('says that it is up', async () => {
      const { store } = await create();
      await put(store, 'k', 'v');
      expect(store.state()).toMatchObject({ status: 'up' });
    });
  });
}

function thirty(prefix: string): string[] {
  return Array.from({ length: 30 }, (_, i) => `${prefix}:${i}`);
}
