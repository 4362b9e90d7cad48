import { randomUUID } from 'node:crypto';
import { entry, record, storedDependencies, type Dependency } from '@bff/infra/cache/dependencies';
import type { CacheStore } from '@bff/infra/cache/protocol/cache-store';
import { expect } from '../expect.js';
import {
  begin,
  eventuallySeen,
  put,
  sweepAll,
  text,
  times,
  value,
  write,
  type StoreFactory,
} from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

interface Kept {
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly dependencies?: readonly Dependency[];
}

/** Builds the key, also over a valid entry. Returns the answer to the commit, or to `begin` if that grants no lease. */
async function rebuild(store: CacheStore, key: string, content: string, kept: Kept = {}): Promise<string> {
  const leaseId = randomUUID();
  const reply = await store.begin({ key, leaseId, leaseMs: 30_000, known: [], refresh: true });
  if (reply.kind !== 'lease') return reply.kind;
  const { ttlMs, staleMs = 0 } = kept;
  const dependencies = storedDependencies(key, kept.dependencies ?? []);
  return store.commit({ key, leaseId, start: reply.start, value: value(content), dependencies, ttlMs, staleMs });
}

/** Refreshes, extensions, stale copies, writes under a lease, and announcements of what has dropped. */
export function describeLongerLives({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('a refresh', () => {
    it('[F8] is granted over a valid entry, once at a time, and the entry is served meanwhile', async () => {
      const { store, other } = await create();
      await put(store, 'k', 'old', [record('Order', '1')], 60_000);
      const first = await store.begin({ key: 'k', leaseId: 'a', leaseMs: 30_000, known: [], refresh: true });
      expect(first.kind).toBe('lease');
      const second = await other.begin({ key: 'k', leaseId: 'b', leaseMs: 30_000, known: [], refresh: true });
      expect(second).toMatchObject({ kind: 'wait', leaseId: 'a' });
      expect(await text(other, 'k')).toBe('old');
      expect((await begin(other, 'k')).reply.kind).toBe('fresh');
      await store.release({ key: 'k', leaseId: 'a' });
      expect(await text(other, 'k')).toBe('old');
      expect(await rebuild(other, 'k', 'new', { ttlMs: 60_000, dependencies: [record('Order', '2')] })).toBe('ok');
      expect(await text(store, 'k')).toBe('new');
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(0);
      expect((await store.invalidate([record('Order', '2')])).dropped).toBe(1);
    });

    it('[F13] that an invalidation has overtaken is refused', async () => {
      const { store } = await create();
      await put(store, 'k', 'old', [record('Order', '1')]);
      const { start } = (await store.begin({ key: 'k', leaseId: 'a', leaseMs: 30_000, known: [], refresh: true })) as {
        start: Parameters<CacheStore['commit']>[0]['start'];
      };
      await store.invalidate([record('Order', '1')]);
      const dependencies = storedDependencies('k', [record('Order', '1')]);
      const request = { key: 'k', leaseId: 'a', start, value: value('stale'), dependencies, ttlMs: undefined };
      expect(await store.commit(request)).toBe('stale');
      expect(await text(store, 'k')).toBeUndefined();
    });
  });

  describe('an extension', () => {
    it('moves the end of an entry with a TTL, but not beyond the absolute one, and never back', async () => {
      const { store, other } = await create();
      await put(store, 'k', 'v', [record('Order', '1')], 1_000);
      const read = () => other.read('k');
      const first = await read();
      const fetchedAt = first?.fetchedAt as number;
      expect(first?.expiresAt).toBeGreaterThanOrEqual(fetchedAt + 900);
      expect(first?.expiresAt).toBeLessThanOrEqual(fetchedAt + 1_000);
      expect(await store.extend('k', 60_000, 30_000)).toBe(true);
      expect((await read())?.expiresAt).toBe(fetchedAt + 30_000);
      expect(await store.extend('k', 1, undefined)).toBe(true);
      expect((await read())?.expiresAt).toBe(fetchedAt + 30_000);
      await put(store, 'marker', 'v', [], 1_100);
      await eventuallySeen(
        () => text(store, 'marker'),
        (seen) => seen === undefined,
      );
      await sweepAll(store);
      expect(await text(store, 'k')).toBe('v'); // although its first end has passed
      expect((await store.invalidate([record('Order', '1')])).dropped).toBe(1);
    });

    it('is refused where there is no entry, none with a TTL, or only one that fell', async () => {
      const { store, countIndexKeys } = await create();
      await put(store, 'kept', 'v');
      await put(store, 'fell', 'v', [record('Order', '1')], 60_000);
      await store.invalidate([record('Order', '1'), entry('kept')]);
      for (const key of ['none', 'kept', 'fell']) expect(await store.extend(key, 60_000, undefined)).toBe(false);
      expect(await text(store, 'fell')).toBeUndefined();
      expect(await countIndexKeys()).toBe(0);
    });
  });

  describe('a stale copy', () => {
    const keep = { staleMs: 60_000, dependencies: [record('Order', '1')] };

    it('is served only when the entry has ended, by invalidation or expiry, and says for how long', async () => {
      const { store, other } = await create();
      await rebuild(store, 'orders:a', 'v', keep);
      await rebuild(store, 'orders:b', 'w', { ttlMs: 30, staleMs: 60_000 });
      expect(await other.readStale('orders:a')).toBeUndefined();
      await store.invalidate([record('Order', '1')]);
      expect(await store.read('orders:a')).toBeUndefined();
      expect(await other.readStale('orders:a')).toMatchObject({ value: value('v') });
      const expired = await eventuallySeen(
        () => other.readStale('orders:b'),
        (copy) => copy !== undefined && copy.staleForMs >= 20,
      );
      expect(expired).toMatchObject({ value: value('w') });
      await rebuild(store, 'orders:a', 'fresh', keep);
      expect(await other.readStale('orders:a')).toBeUndefined();
      await store.invalidate([record('Order', '1')]);
      expect((await other.readStale('orders:a'))?.value.bytes.toString()).toBe('fresh');
    });

    it('is gone when it has been stale for as long as it may', async () => {
      const { store } = await create();
      await rebuild(store, 'orders:a', 'v', { ...keep, staleMs: 50 });
      await store.invalidate([record('Order', '1')]);
      await eventuallySeen(
        () => store.readStale('orders:a'),
        (copy) => copy === undefined,
      );
    });

    it('counts from the first end: a second invalidation does not make it younger', async () => {
      const { store } = await create();
      await rebuild(store, 'orders:a', 'v', { ...keep, ttlMs: 20 });
      const old = await eventuallySeen(
        () => store.readStale('orders:a'),
        (copy) => (copy?.staleForMs ?? 0) > 30,
      );
      await store.invalidate([record('Order', '1')]);
      await sweepAll(store);
      expect((await store.readStale('orders:a'))?.staleForMs).toBeGreaterThanOrEqual(old?.staleForMs ?? Infinity);
    });

    it('goes with del, with a write, and with a build that keeps none', async () => {
      const { store, countIndexKeys } = await create();
      for (const end of [
        () => store.invalidate([entry('orders:a')]),
        () => write(store, 'orders:a', 'written'),
        () => rebuild(store, 'orders:a', 'built'),
      ]) {
        await rebuild(store, 'orders:a', 'v', keep);
        await store.invalidate([record('Order', '1')]);
        await end();
        await store.invalidate([entry('orders:a')]);
        expect(await store.readStale('orders:a')).toBeUndefined();
      }
      expect(await countIndexKeys()).toBe(0);
    });

    it('is not served after an invalidation that was deferred, because nobody knows when the entry fell', async () => {
      const { store } = await create({ inlineMax: 1 });
      await times(50, (i) => rebuild(store, `orders:${i}`, 'v', keep));
      const { deferred } = await store.invalidate([record('Order', '1')]);
      const copies = await Promise.all(Array.from({ length: 50 }, (_, i) => store.readStale(`orders:${i}`)));
      if (deferred > 0) expect(copies.filter(Boolean)).toEqual([]);
      else expect(copies.filter(Boolean)).toHaveLength(50);
    });
  });

  describe('a write under a lease', () => {
    it('[J16] is refused when the lease was lost, and changes nothing', async () => {
      const { store, other } = await create();
      await put(store, 'k', 'old');
      const lock = async (from: CacheStore, leaseId: string, leaseMs: number) =>
        (await from.begin({ key: 'k', leaseId, leaseMs, known: [], refresh: true })).kind;
      expect(await lock(store, 'a', 30)).toBe('lease');
      await eventuallySeen(
        () => lock(other, 'b', 30_000),
        (kind) => kind === 'lease',
      );
      const request = { key: 'k', dependencies: storedDependencies('k', []), ttlMs: undefined };
      expect(await store.write({ ...request, value: value('late'), leaseId: 'a' })).toBe(false);
      expect(await text(store, 'k')).toBe('old');
      expect(await other.write({ ...request, value: value('new'), leaseId: 'b' })).toBe(true);
      expect(await text(store, 'k')).toBe('new');
      expect(await other.write({ ...request, value: value('again'), leaseId: 'b' })).toBe(false); // the write ended its lease
      expect(await text(store, 'k')).toBe('new');
    });
  });

  describe('what has dropped', () => {
    it('is announced to every process by its keys', async () => {
      const { store, other } = await create();
      const told: string[] = [];
      const stop = other.onDropped((keys) => told.push(...keys));
      await put(store, 'orders:a', 'v', [record('Order', '1')]);
      await eventuallySeen(
        async () => {
          await put(store, 'orders:b', 'v', [record('Order', '2')]); // until the subscription is active
          await store.invalidate([record('Order', '2')]);
          return told.includes('orders:b');
        },
        (isTold) => isTold,
      );
      told.length = 0;
      await store.invalidate([record('Order', '1'), record('Order', '3')]);
      await eventuallySeen(
        () => told.filter((key) => key === 'orders:a'),
        (those) => those.length === 1,
      );
      stop();
    });
  });
}
