import { describe, expect, it } from '@jest/globals';
import type { Dependency } from '../dependencies.js';
import { LocalCache, type LocalEntry } from './l1-cache.js';

const FAR = 1e15;

interface Size {
  readonly partitions?: number;
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

/** Keys of odd length are in the last partition: 1 of two, or 0 of one. */
function optionsOf({ partitions = 2, maxBytes = 1e6, maxEntries = 100 }: Size) {
  return { partitions, partitionOf: (key: string) => key.length % partitions, maxBytes, maxEntries };
}

function localCache(size: Size = {}): LocalCache {
  const local = new LocalCache({ ...optionsOf(size), shouldFreeze: true });
  for (const partition of local.partitions) partition.adopt({ clock: 5, tip: 'five' }, FAR);
  return local;
}

function entryOf(value: unknown, more: Partial<LocalEntry> = {}): LocalEntry {
  return { value, bytes: 100, clock: 5, tip: 'five', build: 1, dependencies: [], expiresAt: 0, ...more };
}

const deps = (...names: string[]) => names as Dependency[];

describe.each([1, 2])('LocalCache of %i partition(s)', (partitions) => {
  const last = partitions - 1;

  it('serves what it keeps, falsy values included, and nothing else', async () => {
    const local = localCache({ partitions });
    for (const value of [0, '', false, null, { a: [1] }]) {
      const key = `key ${JSON.stringify(value)}`;
      local.keep(key, local.generation(key), entryOf(value));
      expect(await local.find(key)).toEqual(value);
    }
    expect(await local.find('other')).toBeUndefined();
  });

  it.each([0, 1e15])(
    'serves nothing when the lease is over, and again when there is another one (end: %d)',
    (expiresAt) => {
      const local = new LocalCache({ ...optionsOf({ partitions }), shouldFreeze: true });
      const renew = (until: number) =>
        local.partitions[last]?.confirmed({ clock: 5, tip: 'five' }, until, local.generation('k'));
      local.partitions.forEach((partition) => partition.adopt({ clock: 5, tip: 'five' }, performance.now() - 1));
      local.partitions.forEach((partition) => partition.learnTime(1000, performance.now()));
      local.keep('k', local.generation('k'), entryOf(1, { expiresAt }));
      expect([local.size.entries, local.find('k')]).toEqual([1, undefined]);
      expect(renew(performance.now() - 1)).toBe(true);
      expect(local.find('k')).toBeUndefined();
      expect(renew(FAR)).toBe(true);
      expect(local.find('k')).toBeDefined();
    },
  );

  it.each([0, 1e15])(
    'forgets everything when it is suspended or closed, or a message is missing (end: %d)',
    (expiresAt) => {
      const missed = { clock: 9, tip: 'nine', previousTip: 'eight', dependencies: deps('r:A:1') };
      const everything = { clock: 6, tip: 'six', previousTip: 'five', dependencies: '*' as const };
      const ends: ((local: LocalCache) => void)[] = [
        (local) => local.suspend(last),
        (local) => local.close(),
        (local) => local.follow(last, missed),
        (local) => local.follow(last, everything),
      ];
      for (const end of ends) {
        const local = localCache({ partitions });
        local.partitions.forEach((partition) => partition.learnTime(1000, performance.now()));
        local.keep('k', local.generation('k'), entryOf(1, { expiresAt }));
        expect(local.find('k')).toBeDefined();
        end(local);
        expect(local.size.entries).toBe(0);
        local.resume(last);
        local.partitions.forEach((partition) => partition.adopt({ clock: 10, tip: 'ten' }, FAR));
        expect(local.find('k')).toBeUndefined();
      }
    },
  );

  it('drops its own invalidations before they are asked of the store, and keeps nothing older afterwards', async () => {
    const local = localCache({ partitions });
    const generation = local.generation('k');
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    local.invalidateOwn(last, deps('r:A:1'));
    expect(await local.find('k')).toBeUndefined();
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') })); // sent before the store carried it out
    local.invalidateOwn(last, deps('r:A:1'), { clock: 6, tip: 'six' });
    expect(await local.find('k')).toBeUndefined();
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    expect(await local.find('k')).toBeUndefined();
    local.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    local.keep('k', generation, entryOf(2, { dependencies: deps('r:A:1'), clock: 6, tip: 'six' }));
    expect(await local.find('k')).toBe(2);
  });

  it('drops what an invalidation names, unless it is newer', async () => {
    const local = localCache({ partitions });
    local.keep('old', local.generation('old'), entryOf(1, { dependencies: deps('r:A:1') }));
    local.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: [] });
    local.keep('new', local.generation('new'), entryOf(2, { dependencies: deps('r:A:1'), clock: 6, tip: 'six' }));
    local.invalidateOwn(last, deps('r:A:1'), { clock: 6, tip: 'six' }); // as the bus reports it, or earlier
    expect([await local.find('old'), await local.find('new')]).toEqual([undefined, 2]);
  });

  it('an entry falls by its own key', async () => {
    const local = localCache({ partitions });
    local.keep('k', local.generation('k'), entryOf(1));
    local.invalidateOwn(last, deps('k:k'), { clock: 6, tip: 'six' });
    expect(await local.find('k')).toBeUndefined();
  });

  it('never exceeds an absolute expiry, whatever the delay of the answer that told the time', async () => {
    const local = localCache({ partitions });
    const now = performance.now();
    local.keep('k', local.generation('k'), entryOf(1, { expiresAt: 1_000_000 }));
    expect(await local.find('k')).toBeUndefined(); // the store's time is not known yet
    local.partitions[last]?.learnTime(999_000, now);
    expect(await local.find('k')).toBe(1);
    local.partitions[last]?.learnTime(999_000, now - 2000); // that answer may be two seconds old
    expect(await local.find('k')).toBeUndefined();
  });

  it('is bounded in entries and in bytes, and leaves no index behind', async () => {
    const local = localCache({ partitions, maxEntries: 10 });
    for (let i = 0; i < 100; i++)
      local.keep(`k${i}`, local.generation(`k${i}`), entryOf(i, { dependencies: deps(`r:A:${i}`) }));
    expect(local.size.entries).toBe(10);
    const small = localCache({ partitions, maxBytes: 4000 });
    for (let i = 0; i < 100; i++) small.keep(`k${i}`, small.generation(`k${i}`), entryOf(i));
    expect(small.size.bytes).toBeLessThanOrEqual(4000);
    for (const bytes of [100, 5000])
      small.keep('grows', small.generation('grows'), entryOf(bytes, { bytes, build: bytes }));
    expect(small.find('grows')).toBeUndefined(); // neither the entry that is too large nor the one it replaced
  });

  it('lets go of what was not hit, and of the oldest where everything was', async () => {
    const keep = (local: LocalCache, key: string) => local.keep(key, local.generation(key), entryOf(key));
    const few = localCache({ partitions, maxEntries: 3 });
    ['a', 'b', 'c'].forEach((key) => keep(few, key));
    void few.find('a');
    keep(few, 'd');
    keep(few, 'e');
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => few.find(key) !== undefined)).toEqual(['a', 'd', 'e']);

    const many = localCache({ partitions, maxEntries: 20 });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    keys.forEach((key) => keep(many, key));
    keys.forEach((key) => void many.find(key));
    keep(many, 'new');
    expect(many.size.entries).toBe(20);
    expect(await many.find('new')).toBe('new');
  });

  it('answers all hits with one promise, and a rebuilt entry with another', async () => {
    const local = localCache({ partitions });
    local.keep('k', local.generation('k'), entryOf({ a: 1 }));
    const answer = local.find('k');
    expect(await answer).toEqual({ a: 1 });
    expect(local.find('k')).toBe(answer);
    local.keep('k', local.generation('k'), entryOf({ a: 2 }, { build: 2 }));
    expect(await local.find('k')).toEqual({ a: 2 });
  });

  it('keeps what was rebuilt after an expiry, although nothing was invalidated in between', async () => {
    const local = localCache({ partitions });
    local.partitions[last]?.learnTime(1000, performance.now());
    local.keep('k', local.generation('k'), entryOf('first', { expiresAt: 900 }));
    expect(await local.find('k')).toBeUndefined();
    local.keep('k', local.generation('k'), entryOf('second', { build: 2, expiresAt: 1e9 }));
    expect(await local.find('k')).toBe('second');
  });

  it.each([0, 900_000])('[D1] keeps the later build of two, whatever their ends say (%d)', async (expiresAt) => {
    const local = localCache({ partitions });
    local.partitions[last]?.learnTime(1000, performance.now());
    local.keep('k', local.generation('k'), entryOf('old', { build: 7, expiresAt: 1e9 }));
    local.keep('k', local.generation('k'), entryOf('new', { build: 8, expiresAt }));
    expect(await local.find('k')).toBe('new');
    local.keep('k', local.generation('k'), entryOf('old', { build: 7, expiresAt: 1e9 })); // a reply that was under way longer
    expect(await local.find('k')).toBe('new');
  });

  it('drops a later build by its own dependencies, not by those of the one before', async () => {
    const local = localCache({ partitions });
    local.keep('k', local.generation('k'), entryOf('old', { dependencies: deps('r:A:1') }));
    local.keep('k', local.generation('k'), entryOf('new', { build: 2, dependencies: deps('r:A:2') }));
    expect(await local.find('k')).toBe('new');
    local.follow(last, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect(await local.find('k')).toBe('new');
    local.follow(last, { clock: 7, tip: 'seven', previousTip: 'six', dependencies: deps('r:A:2') });
    expect(local.find('k')).toBeUndefined();
    expect(local.size.entries).toBe(0);
  });

  it('does not keep an entry with very many dependencies', async () => {
    const local = localCache({ partitions });
    const many = Array.from({ length: 65 }, (_, i) => `r:A:${i}`) as Dependency[];
    local.keep('k', local.generation('k'), entryOf(1, { dependencies: many }));
    expect(await local.find('k')).toBeUndefined();
  });

  it('catches a caller that changes a shared value', async () => {
    const local = localCache({ partitions });
    local.keep('k', local.generation('k'), entryOf({ list: [{ a: 1 }] }));
    const value = (await local.find('k')) as { list: { a: number }[] };
    expect(() => ((value.list[0] as { a: number }).a = 2)).toThrow(TypeError);
  });

  it('knows of a crowded cache what was hit, whether it was kept before or after it became crowded', async () => {
    const local = localCache({ partitions, maxEntries: 8 });
    const keep = (key: string) => local.keep(key, local.generation(key), entryOf(key, { dependencies: deps('r:A:1') }));
    const kept = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'];
    kept.forEach(keep);
    const first = local.find('k1');
    void local.find('k8');
    ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].forEach(keep);
    expect(kept.filter((key) => local.find(key) !== undefined)).toEqual(['k1', 'k8']);
    expect(local.find('k1')).toBe(first);
    local.invalidateOwn(0, deps('r:A:1'), { clock: 6, tip: 'six' });
    expect(['k1', 'k8', 'n6'].filter((key) => local.find(key) !== undefined)).toEqual([]);
    expect(local.size.entries).toBe(0);
  });

  it('replaces an entry by one with an end, and the other way round', async () => {
    const local = localCache({ partitions });
    const keep = (value: string, expiresAt: number, build: number) =>
      local.keep('k', local.generation('k'), entryOf(value, { build, expiresAt }));
    local.partitions[last]?.learnTime(1000, performance.now());
    keep('endless', 0, 5);
    expect([await local.find('k'), local.remainingMs('k')]).toEqual(['endless', undefined]);
    keep('ended', 900, 6);
    expect([await local.find('k'), local.remainingMs('k')]).toEqual([undefined, 0]);
    keep('endless again', 0, 7);
    expect([await local.find('k'), local.remainingMs('k')]).toEqual(['endless again', undefined]);
    local.invalidateOwn(last, deps('k:k'));
    expect(local.find('k')).toBeUndefined();
  });
});

describe('LocalCache of several partitions', () => {
  it('drops what an invalidation names in its partition only', async () => {
    const local = localCache();
    local.keep('old', local.generation('old'), entryOf(1, { dependencies: deps('r:A:1') }));
    local.keep('else', local.generation('else'), entryOf(3, { dependencies: deps('r:A:1') }));
    local.follow(1, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect([await local.find('old'), await local.find('else')]).toEqual([undefined, 3]);
  });

  it('forgets a partition as a whole when a message is missing, and no other', async () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf(1));
    local.keep('kk', local.generation('kk'), entryOf(2));
    local.follow(1, { clock: 9, tip: 'nine', previousTip: 'eight', dependencies: deps('r:A:1') });
    expect([await local.find('k'), await local.find('kk')]).toEqual([undefined, 2]);
  });
});
