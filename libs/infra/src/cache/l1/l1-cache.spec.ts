import { describe, expect, it } from '@jest/globals';
import type { Dependency } from '../dependencies.js';
import { L1Cache, type L1Entry } from './l1-cache.js';

const FAR = 1e15;

interface Size {
  readonly partitions?: number;
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

/** Keys of odd length are in the last partition: index 1 of two, or the only one. */
function optionsOf({ partitions = 2, maxBytes = 1e6, maxEntries = 100 }: Size) {
  return { partitions, partitionOf: (key: string) => key.length % partitions, maxBytes, maxEntries };
}

function l1Cache(size: Size = {}): L1Cache {
  const l1 = new L1Cache({ ...optionsOf(size), shouldFreeze: true });
  for (const partition of l1.partitions) partition.adopt({ clock: 5, tip: 'five' }, FAR);
  return l1;
}

function entryOf(value: unknown, more: Partial<L1Entry> = {}): L1Entry {
  return { value, bytes: 100, clock: 5, tip: 'five', build: 1, dependencies: [], expiresAt: 0, ...more };
}

const deps = (...names: string[]) => names as Dependency[];

describe.each([1, 2])('L1Cache of %i partition(s)', (partitions) => {
  const last = partitions - 1;

  it('serves what it keeps, falsy values included, and nothing else', async () => {
    const l1 = l1Cache({ partitions });
    for (const value of [0, '', false, null, { a: [1] }]) {
      const key = `key ${JSON.stringify(value)}`;
      l1.keep(key, l1.generation(key), entryOf(value));
      expect(await l1.find(key)).toEqual(value);
    }
    expect(await l1.find('other')).toBeUndefined();
  });

  it.each([0, 1e15])(
    'serves nothing when the lease is over, and again when there is another one (end: %d)',
    (expiresAt) => {
      const l1 = new L1Cache({ ...optionsOf({ partitions }), shouldFreeze: true });
      const renew = (until: number) =>
        l1.partitions[last]?.confirmed({ clock: 5, tip: 'five' }, until, l1.generation('k'));
      l1.partitions.forEach((partition) => partition.adopt({ clock: 5, tip: 'five' }, performance.now() - 1));
      l1.partitions.forEach((partition) => partition.learnTime(1000, performance.now()));
      l1.keep('k', l1.generation('k'), entryOf(1, { expiresAt }));
      expect([l1.size.entries, l1.find('k')]).toEqual([1, undefined]);
      expect(renew(performance.now() - 1)).toBe(true);
      expect(l1.find('k')).toBeUndefined();
      expect(renew(FAR)).toBe(true);
      expect(l1.find('k')).toBeDefined();
    },
  );

  it.each([0, 1e15])(
    'forgets everything when it is suspended or closed, or a message is missing (end: %d)',
    (expiresAt) => {
      const missed = { clock: 9, tip: 'nine', previousTip: 'eight', dependencies: deps('r:A:1') };
      const everything = { clock: 6, tip: 'six', previousTip: 'five', dependencies: '*' as const };
      const ends: ((l1: L1Cache) => void)[] = [
        (l1) => l1.suspend(last),
        (l1) => l1.close(),
        (l1) => l1.follow(last, missed),
        (l1) => l1.follow(last, everything),
      ];
      for (const end of ends) {
        const l1 = l1Cache({ partitions });
        l1.partitions.forEach((partition) => partition.learnTime(1000, performance.now()));
        l1.keep('k', l1.generation('k'), entryOf(1, { expiresAt }));
        expect(l1.find('k')).toBeDefined();
        end(l1);
        expect(l1.size.entries).toBe(0);
        l1.resume(last);
        l1.partitions.forEach((partition) => partition.adopt({ clock: 10, tip: 'ten' }, FAR));
        expect(l1.find('k')).toBeUndefined();
      }
    },
  );

  it('drops its own invalidations before they are asked of the store, and keeps nothing older afterwards', async () => {
    const l1 = l1Cache({ partitions });
    const generation = l1.generation('k');
    l1.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    l1.invalidateOwn(last, deps('r:A:1'));
    expect(await l1.find('k')).toBeUndefined();
    l1.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') })); // read before the store invalidated it
    l1.invalidateOwn(last, deps('r:A:1'), { clock: 6, tip: 'six' });
    expect(await l1.find('k')).toBeUndefined();
    l1.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    expect(await l1.find('k')).toBeUndefined();
    l1.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    l1.keep('k', generation, entryOf(2, { dependencies: deps('r:A:1'), clock: 6, tip: 'six' }));
    expect(await l1.find('k')).toBe(2);
  });

  it('drops what an invalidation names, unless it is newer', async () => {
    const l1 = l1Cache({ partitions });
    l1.keep('old', l1.generation('old'), entryOf(1, { dependencies: deps('r:A:1') }));
    l1.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: [] });
    l1.keep('new', l1.generation('new'), entryOf(2, { dependencies: deps('r:A:1'), clock: 6, tip: 'six' }));
    l1.invalidateOwn(last, deps('r:A:1'), { clock: 6, tip: 'six' }); // `new` was valid at clock 6, so it is newer
    expect([await l1.find('old'), await l1.find('new')]).toEqual([undefined, 2]);
  });

  it('an entry falls by its own key', async () => {
    const l1 = l1Cache({ partitions });
    l1.keep('k', l1.generation('k'), entryOf(1));
    l1.invalidateOwn(last, deps('k:k'), { clock: 6, tip: 'six' });
    expect(await l1.find('k')).toBeUndefined();
  });

  it('never exceeds an absolute expiry, whatever the delay of the answer that told the time', async () => {
    const l1 = l1Cache({ partitions });
    const now = performance.now();
    l1.keep('k', l1.generation('k'), entryOf(1, { expiresAt: 1_000_000 }));
    expect(await l1.find('k')).toBeUndefined(); // the store's time is not known yet
    l1.partitions[last]?.learnTime(999_000, now);
    expect(await l1.find('k')).toBe(1);
    l1.partitions[last]?.learnTime(999_000, now - 2000); // asked 2 s ago: the store's time may be 1,001,000 by now
    expect(await l1.find('k')).toBeUndefined();
  });

  it('is bounded in entries and in bytes, and leaves no index behind', async () => {
    const l1 = l1Cache({ partitions, maxEntries: 10 });
    for (let i = 0; i < 100; i++)
      l1.keep(`k${i}`, l1.generation(`k${i}`), entryOf(i, { dependencies: deps(`r:A:${i}`) }));
    expect(l1.size.entries).toBe(10);
    const small = l1Cache({ partitions, maxBytes: 4000 });
    for (let i = 0; i < 100; i++) small.keep(`k${i}`, small.generation(`k${i}`), entryOf(i));
    expect(small.size.bytes).toBeLessThanOrEqual(4000);
    for (const bytes of [100, 5000])
      small.keep('grows', small.generation('grows'), entryOf(bytes, { bytes, build: bytes }));
    expect(small.find('grows')).toBeUndefined(); // neither the one that is too large nor the one before it
  });

  it('lets go of what was not hit, and of the oldest where everything was', async () => {
    const keep = (l1: L1Cache, key: string) => l1.keep(key, l1.generation(key), entryOf(key));
    const few = l1Cache({ partitions, maxEntries: 3 });
    ['a', 'b', 'c'].forEach((key) => keep(few, key));
    void few.find('a');
    keep(few, 'd');
    keep(few, 'e');
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => few.find(key) !== undefined)).toEqual(['a', 'd', 'e']);

    const many = l1Cache({ partitions, maxEntries: 20 });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    keys.forEach((key) => keep(many, key));
    keys.forEach((key) => void many.find(key));
    keep(many, 'new');
    expect(many.size.entries).toBe(20);
    expect(await many.find('new')).toBe('new');
  });

  it('answers all hits with one promise, and a rebuilt entry with another', async () => {
    const l1 = l1Cache({ partitions });
    l1.keep('k', l1.generation('k'), entryOf({ a: 1 }));
    const answer = l1.find('k');
    expect(await answer).toEqual({ a: 1 });
    expect(l1.find('k')).toBe(answer);
    l1.keep('k', l1.generation('k'), entryOf({ a: 2 }, { build: 2 }));
    expect(await l1.find('k')).toEqual({ a: 2 });
  });

  it('keeps what was rebuilt after an expiry, although nothing was invalidated in between', async () => {
    const l1 = l1Cache({ partitions });
    l1.partitions[last]?.learnTime(1000, performance.now());
    l1.keep('k', l1.generation('k'), entryOf('first', { expiresAt: 900 }));
    expect(await l1.find('k')).toBeUndefined();
    l1.keep('k', l1.generation('k'), entryOf('second', { build: 2, expiresAt: 1e9 }));
    expect(await l1.find('k')).toBe('second');
  });

  it.each([0, 900_000])('[D1] keeps the later build of two, whatever their ends say (%d)', async (expiresAt) => {
    const l1 = l1Cache({ partitions });
    l1.partitions[last]?.learnTime(1000, performance.now());
    l1.keep('k', l1.generation('k'), entryOf('old', { build: 7, expiresAt: 1e9 }));
    l1.keep('k', l1.generation('k'), entryOf('new', { build: 8, expiresAt }));
    expect(await l1.find('k')).toBe('new');
    l1.keep('k', l1.generation('k'), entryOf('old', { build: 7, expiresAt: 1e9 })); // an older reply that comes late
    expect(await l1.find('k')).toBe('new');
  });

  it('drops a later build by its own dependencies, not by those of the one before', async () => {
    const l1 = l1Cache({ partitions });
    l1.keep('k', l1.generation('k'), entryOf('old', { dependencies: deps('r:A:1') }));
    l1.keep('k', l1.generation('k'), entryOf('new', { build: 2, dependencies: deps('r:A:2') }));
    expect(await l1.find('k')).toBe('new');
    l1.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect(await l1.find('k')).toBe('new');
    l1.follow(last, { clock: 7, tip: 'seven', previousTip: 'six', dependencies: deps('r:A:2') });
    expect(l1.find('k')).toBeUndefined();
    expect(l1.size.entries).toBe(0);
  });

  it('does not keep an entry with very many dependencies', async () => {
    const l1 = l1Cache({ partitions });
    const many = Array.from({ length: 65 }, (_, i) => `r:A:${i}`) as Dependency[];
    l1.keep('k', l1.generation('k'), entryOf(1, { dependencies: many }));
    expect(await l1.find('k')).toBeUndefined();
  });

  it('catches a caller that changes a shared value', async () => {
    const l1 = l1Cache({ partitions });
    l1.keep('k', l1.generation('k'), entryOf({ list: [{ a: 1 }] }));
    const value = (await l1.find('k')) as { list: { a: number }[] };
    expect(() => ((value.list[0] as { a: number }).a = 2)).toThrow(TypeError);
  });

  it('knows of a crowded cache what was hit, whether it was kept before or after it became crowded', async () => {
    const l1 = l1Cache({ partitions, maxEntries: 8 });
    const keep = (key: string) => l1.keep(key, l1.generation(key), entryOf(key, { dependencies: deps('r:A:1') }));
    const kept = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'];
    kept.forEach(keep);
    const first = l1.find('k1');
    void l1.find('k8');
    ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].forEach(keep);
    expect(kept.filter((key) => l1.find(key) !== undefined)).toEqual(['k1', 'k8']);
    expect(l1.find('k1')).toBe(first);
    l1.invalidateOwn(0, deps('r:A:1'), { clock: 6, tip: 'six' });
    expect(['k1', 'k8', 'n6'].filter((key) => l1.find(key) !== undefined)).toEqual([]);
    expect(l1.size.entries).toBe(0);
  });

  it('replaces an entry by one with an end, and the other way round', async () => {
    const l1 = l1Cache({ partitions });
    const keep = (value: string, expiresAt: number, build: number) =>
      l1.keep('k', l1.generation('k'), entryOf(value, { build, expiresAt }));
    l1.partitions[last]?.learnTime(1000, performance.now());
    keep('endless', 0, 5);
    expect([await l1.find('k'), l1.remainingMs('k')]).toEqual(['endless', undefined]);
    keep('ended', 900, 6);
    expect([await l1.find('k'), l1.remainingMs('k')]).toEqual([undefined, 0]);
    keep('endless again', 0, 7);
    expect([await l1.find('k'), l1.remainingMs('k')]).toEqual(['endless again', undefined]);
    l1.invalidateOwn(last, deps('k:k'));
    expect(l1.find('k')).toBeUndefined();
  });
});

describe('L1Cache of several partitions', () => {
  it('drops what an invalidation names in its partition only', async () => {
    const l1 = l1Cache();
    l1.keep('old', l1.generation('old'), entryOf(1, { dependencies: deps('r:A:1') }));
    l1.keep('else', l1.generation('else'), entryOf(3, { dependencies: deps('r:A:1') }));
    l1.follow(1, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect([await l1.find('old'), await l1.find('else')]).toEqual([undefined, 3]);
  });

  it('forgets a partition as a whole when a message is missing, and no other', async () => {
    const l1 = l1Cache();
    l1.keep('k', l1.generation('k'), entryOf(1));
    l1.keep('kk', l1.generation('kk'), entryOf(2));
    l1.follow(1, { clock: 9, tip: 'nine', previousTip: 'eight', dependencies: deps('r:A:1') });
    expect([await l1.find('k'), await l1.find('kk')]).toEqual([undefined, 2]);
  });
});
