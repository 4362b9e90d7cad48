import { describe, expect, it } from '@jest/globals';
import type { Dependency } from '../dependencies.js';
import { LocalCache, type LocalEntry } from './local-cache.js';

const FAR = 1e15;

function localCache(bounds: { maxBytes?: number; maxEntries?: number } = {}): LocalCache {
  const options = { partitions: 2, partitionOf: (key: string) => key.length % 2, shouldFreeze: true };
  const local = new LocalCache({ ...options, maxBytes: 1e6, maxEntries: 100, ...bounds });
  for (const partition of local.partitions) partition.adopt({ clock: 5, tip: 'five' }, FAR);
  return local;
}

function entryOf(value: unknown, more: Partial<LocalEntry> = {}): LocalEntry {
  return { value, bytes: 100, clock: 5, dependencies: [], expiresAt: 0, ...more };
}

const deps = (...names: string[]) => names as Dependency[];

describe('LocalCache', () => {
  it('serves what it keeps, falsy values included, and nothing else', () => {
    const local = localCache();
    for (const value of [0, '', false, null, { a: [1] }]) {
      const key = `key ${JSON.stringify(value)}`;
      local.keep(key, local.generation(key), entryOf(value));
      expect(local.find(key)?.value).toEqual(value);
    }
    expect(local.find('other')?.value).toBeUndefined();
  });

  it('serves nothing when the lease is over', () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf(1));
    local.partitions.forEach((partition) => partition.close());
    expect(local.find('k')?.value).toBeUndefined();
  });

  it('drops what an invalidation names, in its partition, unless it is newer', () => {
    const local = localCache();
    local.keep('old', local.generation('old'), entryOf(1, { dependencies: deps('r:A:1') }));
    local.keep('new', local.generation('new'), entryOf(2, { dependencies: deps('r:A:1'), clock: 9 }));
    local.keep('else', local.generation('else'), entryOf(3, { dependencies: deps('r:A:1') }));
    local.follow(1, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect([local.find('old')?.value, local.find('new')?.value, local.find('else')?.value]).toEqual([undefined, 2, 3]);
  });

  it('drops its own invalidations before they are asked of the store, and keeps nothing older afterwards', () => {
    const local = localCache();
    const generation = local.generation('k');
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    local.invalidateOwn(1, deps('r:A:1'));
    expect(local.find('k')?.value).toBeUndefined();
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') })); // a reply from before the store carried it out
    local.invalidateOwn(1, deps('r:A:1'), 6);
    expect(local.find('k')?.value).toBeUndefined();
    local.keep('k', generation, entryOf(1, { dependencies: deps('r:A:1') }));
    expect(local.find('k')?.value).toBeUndefined();
    local.keep('k', generation, entryOf(2, { dependencies: deps('r:A:1'), clock: 6 }));
    expect(local.find('k')?.value).toBe(2);
  });

  it('an entry falls by its own key', () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf(1));
    local.invalidateOwn(1, deps('k:k'), 6);
    expect(local.find('k')?.value).toBeUndefined();
  });

  it('forgets a partition as a whole when a message is missing, and no other', () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf(1));
    local.keep('kk', local.generation('kk'), entryOf(2));
    local.follow(1, { clock: 9, tip: 'nine', previousTip: 'eight', dependencies: deps('r:A:1') });
    expect([local.find('k')?.value, local.find('kk')?.value]).toEqual([undefined, 2]);
  });

  it('never exceeds an absolute expiry, whatever the delay of the answer that told the time', () => {
    const local = localCache();
    const now = performance.now();
    local.keep('k', local.generation('k'), entryOf(1, { expiresAt: 1_000_000 }));
    expect(local.find('k')?.value).toBeUndefined(); // the time is not known yet
    local.partitions[1]?.learnTime(999_000, now);
    expect(local.find('k')?.value).toBe(1);
    local.partitions[1]?.learnTime(999_000, now - 2000); // that answer may be two seconds old
    expect(local.find('k')?.value).toBeUndefined();
  });

  it('is bounded in entries and in bytes, and leaves no index behind', () => {
    const local = localCache({ maxEntries: 10 });
    for (let i = 0; i < 100; i++)
      local.keep(`k${i}`, local.generation(`k${i}`), entryOf(i, { dependencies: deps(`r:A:${i}`) }));
    expect(local.size.entries).toBe(10);
    const small = localCache({ maxBytes: 4000 });
    for (let i = 0; i < 100; i++) small.keep(`k${i}`, small.generation(`k${i}`), entryOf(i));
    expect(small.size.bytes).toBeLessThanOrEqual(4000);
    small.keep('huge', small.generation('huge'), entryOf(1, { bytes: 5000 }));
    expect(small.find('huge')?.value).toBeUndefined();
  });

  it('lets go of what was not hit, and of the oldest where everything was', () => {
    const keep = (local: LocalCache, key: string) => local.keep(key, local.generation(key), entryOf(key));
    const few = localCache({ maxEntries: 3 });
    ['a', 'b', 'c'].forEach((key) => keep(few, key));
    few.find('a');
    keep(few, 'd');
    keep(few, 'e');
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => few.find(key))).toEqual(['a', 'd', 'e']);

    const many = localCache({ maxEntries: 20 });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    keys.forEach((key) => keep(many, key));
    keys.forEach((key) => many.find(key));
    keep(many, 'new');
    expect(many.size.entries).toBe(20);
    expect(many.find('new')?.value).toBe('new');
  });

  it('answers all hits with one promise, and a rebuilt entry with another', async () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf({ a: 1 }));
    const answer = local.find('k')?.answer;
    expect(await answer).toEqual({ a: 1 });
    expect(local.find('k')?.answer).toBe(answer);
    local.keep('k', local.generation('k'), entryOf({ a: 2 }, { clock: 9 }));
    expect(await local.find('k')?.answer).toEqual({ a: 2 });
  });

  it('keeps what was rebuilt after an expiry, although nothing was invalidated in between', () => {
    const local = localCache();
    local.partitions[1]?.learnTime(1000, performance.now());
    local.keep('k', local.generation('k'), entryOf('first', { expiresAt: 900 }));
    expect(local.find('k')?.value).toBeUndefined();
    local.keep('k', local.generation('k'), entryOf('second', { expiresAt: 1e9 }));
    expect(local.find('k')?.value).toBe('second');
  });

  it('keeps what was told last of an entry without an end, which may have been built anew', () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf('old', { dependencies: deps('r:A:1') }));
    local.keep('k', local.generation('k'), entryOf('new', { dependencies: deps('r:A:2') }));
    expect(local.find('k')?.value).toBe('new');
    local.follow(1, { clock: 6, tip: 'six', previousTip: 'five', dependencies: deps('r:A:1') });
    expect(local.find('k')?.value).toBe('new');
    local.follow(1, { clock: 7, tip: 'seven', previousTip: 'six', dependencies: deps('r:A:2') });
    expect(local.find('k')).toBeUndefined();
    expect(local.size.entries).toBe(0);
  });

  it('does not keep an entry with very many dependencies', () => {
    const local = localCache();
    const many = Array.from({ length: 65 }, (_, i) => `r:A:${i}`) as Dependency[];
    local.keep('k', local.generation('k'), entryOf(1, { dependencies: many }));
    expect(local.find('k')?.value).toBeUndefined();
  });

  it('catches a caller that changes a shared value', () => {
    const local = localCache();
    local.keep('k', local.generation('k'), entryOf({ list: [{ a: 1 }] }));
    const value = local.find('k')?.value as { list: { a: number }[] };
    expect(() => ((value.list[0] as { a: number }).a = 2)).toThrow(TypeError);
  });
});
