import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Dependency } from '../dependencies.js';
import { L1Cache, type L1Entry } from './l1-cache.js';

const FAR = 1e15;
/** More than an invalidation removes at once. */
const MANY = 2000;

const deps = (...names: string[]) => names as Dependency[];

/** Keys of odd length are in the last partition. */
function l1Cache({ partitions = 1, maxEntries = 100_000 } = {}): L1Cache {
  const partitionOf = (key: string) => key.length % partitions;
  const l1 = new L1Cache({ partitions, partitionOf, maxBytes: 1e9, maxEntries, shouldFreeze: false });
  for (const partition of l1.partitions) partition.adopt({ clock: 0, tip: 't0' }, FAR);
  return l1;
}

function entryAt(clock: number, dependencies: readonly Dependency[], more: Partial<L1Entry> = {}): L1Entry {
  return { value: clock, bytes: 100, clock, tip: `t${clock}`, build: 1, dependencies, expiresAt: 0, ...more };
}

const keep = (l1: L1Cache, key: string, entry: L1Entry) => l1.keep(key, l1.generation(key), entry);
const follow = (l1: L1Cache, clock: number, dependencies: readonly Dependency[] | '*') =>
  l1.follow(0, { clock, tip: `t${clock}`, previousTip: `t${clock - 1}`, dependencies });

/** The turns of the event loop in which a sweep went on. Each reading of the clock is a tenth of a millisecond later. */
function sweepTurn(): boolean {
  if (jest.getTimerCount() === 0) return false;
  jest.advanceTimersToNextTimer();
  return true;
}

function sweepAll(): void {
  for (let turns = 0; sweepTurn(); turns++) expect(turns).toBeLessThan(10_000);
}

describe('an invalidation with very many dependants in the L1', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 0.1));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  const keys = Array.from({ length: MANY }, (_, i) => `k${i}`);
  const filled = (dependencies = deps('r:W:1')) => {
    const l1 = l1Cache();
    for (const key of keys) keep(l1, key, entryAt(0, dependencies));
    return l1;
  };
  const served = (l1: L1Cache) => keys.filter((key) => l1.find(key) !== undefined).length;

  it('ends every hit at once, and removes the entries in many turns, each short (NO_CHECK, CLEAR_EARLY)', () => {
    const l1 = filled();
    follow(l1, 1, deps('r:W:1'));
    expect([served(l1), l1.size.entries]).toEqual([0, MANY]);
    let before = MANY;
    while (sweepTurn()) {
      expect(before - l1.size.entries).toBeLessThanOrEqual(400);
      before = l1.size.entries;
      expect(served(l1)).toBe(0);
    }
    expect(l1.size).toEqual({ entries: 0, bytes: 0 });
  });

  it('ends the hits of those who remember an entry, too', () => {
    const l1 = filled();
    const entry = l1.entry('k7');
    follow(l1, 1, deps('r:W:1'));
    expect(entry && l1.serve(entry, 0)).toBeUndefined();
    sweepAll();
    expect(entry?.answer).toBeUndefined();
  });

  it('leaves what was filled at a later clock, before and after it is marked', async () => {
    const l1 = filled();
    l1.invalidateOwn(0, deps('r:W:1'));
    l1.invalidateOwn(0, deps('r:W:1'), { clock: 1, tip: 't1' });
    keep(l1, 'k1', entryAt(1, deps('r:W:1')));
    follow(l1, 1, deps('r:W:1')); // the bus reports the own invalidation
    keep(l1, 'k2', entryAt(1, deps('r:W:1')));
    expect([served(l1), await l1.find('k1'), await l1.find('k2')]).toEqual([2, 1, 1]);
    sweepAll();
    expect([served(l1), l1.size.entries]).toEqual([2, 2]);
  });

  it('leaves what has other dependencies', () => {
    const l1 = filled();
    keep(l1, 'other', entryAt(0, deps('r:W:2')));
    follow(l1, 1, deps('r:W:1'));
    expect(l1.find('other')).toBeDefined();
    sweepAll();
    expect(l1.find('other')).toBeDefined();
  });

  it('keeps nothing that was read before it (KEEP_LATE)', () => {
    const l1 = filled();
    follow(l1, 1, deps('r:W:1'));
    sweepAll();
    keep(l1, 'k1', entryAt(0, deps('r:W:1')));
    expect(served(l1)).toBe(0);
  });

  it.each([0, 2, 3, 4])(
    'a second one also ends what was filled since, and %i turns of the sweep later (NO_RESTART, LOW_MARK, LOW_ORDER)',
    (turns) => {
      const l1 = filled();
      follow(l1, 1, deps('r:W:1'));
      for (let turn = 0; turn < turns; turn++) sweepTurn();
      for (const key of keys.slice(0, 700)) keep(l1, key, entryAt(1, deps('r:W:1')));
      for (let turn = 0; turn <= turns; turn++) sweepTurn();
      expect(served(l1)).toBe(700);
      follow(l1, 2, deps('r:W:1'));
      expect(served(l1)).toBe(0);
      sweepAll();
      expect([served(l1), l1.size.entries]).toEqual([0, 0]);
    },
  );

  it('holds although ten thousand other dependencies were invalidated since (MARK_IN_WINDOW)', () => {
    const l1 = filled();
    follow(l1, 1, deps('r:W:1'));
    for (let clock = 2; clock < 62; clock++) {
      follow(l1, clock, deps(...Array.from({ length: 200 }, (_, i) => `r:X:${clock}-${i}`)));
    }
    expect(served(l1)).toBe(0);
  });

  it('without room for another mark everything is dead, and what is filled later lives (OVERFLOW_DROPS)', () => {
    const l1 = l1Cache();
    for (const key of keys) keep(l1, key, entryAt(0, deps('r:W:1', `r:X:${key}`)));
    keep(l1, 'other', entryAt(0, deps('r:Y:1')));
    const narrow = keys.map((key) => `r:X:${key}`);
    follow(l1, 1, deps('r:W:1', ...narrow.slice(0, 1499))); // 500 are removed, and 1,000 marked
    expect(l1.find('other')).toBeDefined();
    follow(l1, 2, deps('r:W:1', ...narrow.slice(499, 1600)));
    expect([served(l1), l1.find('other')]).toEqual([0, undefined]);
    keep(l1, 'other', entryAt(2, deps('r:Y:1')));
    expect(l1.find('other')).toBeDefined();
    sweepAll();
    expect([l1.size.entries, l1.find('other') !== undefined]).toEqual([1, true]);
  });

  it.each([1, 2])('forgets a partition of %i at once, and no other', (partitions) => {
    const l1 = l1Cache({ partitions });
    for (const key of keys) keep(l1, key, entryAt(0, deps('r:W:1')));
    const inFirst = keys.filter((key) => key.length % partitions === 0);
    const entry = l1.entry(inFirst[0] as string);
    follow(l1, 1, '*');
    expect([served(l1), entry && l1.serve(entry, 0)]).toEqual([MANY - inFirst.length, undefined]);
    keep(l1, inFirst[1] as string, entryAt(1, deps('r:W:1'), { build: 0 })); // the dead one is not newer
    expect(served(l1)).toBe(MANY - inFirst.length + 1);
    sweepAll();
    expect([served(l1), l1.size.entries]).toEqual([MANY - inFirst.length + 1, MANY - inFirst.length + 1]);
  });

  it('spares no dead entry when it needs room, although it was hit', () => {
    const l1 = l1Cache({ maxEntries: MANY });
    for (const key of keys) keep(l1, key, entryAt(0, deps(keys.indexOf(key) < 600 ? 'r:W:1' : 'r:W:2')));
    for (const key of keys.slice(0, 600)) void l1.find(key);
    follow(l1, 1, deps('r:W:1'));
    for (let i = 0; i < 500; i++) keep(l1, `new${i}`, entryAt(1, []));
    expect([l1.size.entries, served(l1)]).toEqual([MANY, MANY - 600]);
    sweepAll();
    expect([l1.size.entries, served(l1)]).toEqual([MANY - 100, MANY - 600]);
  });

  describe.each([1, 2, 3, 4, 5, 6])('whatever happens (seed %i)', (seed) => {
    it('answers as an L1 that removes everything at once, and holds as much when it is swept', () => {
      const random = randomOf(seed);
      const l1 = l1Cache();
      const naive = new NaiveL1();
      let clock = 0;
      for (let step = 0; step < 1200; step++) {
        const any = random(100);
        if (any < 3) for (const key of keys) put(key);
        else if (any < 70) put(keys[random(MANY)] as string);
        else if (any < 76) invalidate(some(random));
        else if (any < 79) invalidateOwn(some(random));
        else if (any < 80 && random(4) === 0) forget();
        else if (any < 90) sweepTurn();
        for (let i = 0; i < 5; i++) compare(keys[random(MANY)] as string);
      }
      keys.forEach(compare);
      sweepAll();
      keys.forEach(compare);
      expect(l1.size.entries).toBe(naive.entries.size);
      expect(l1.size.bytes).toBe([...naive.entries.values()].reduce((sum, e) => sum + 300 + 100 * e.size, 0));

      function put(key: string): void {
        const at = Math.max(0, clock - random(3)); // some replies come late
        const dependencies = some(random);
        naive.keep(key, at, new Set(dependencies));
        keep(l1, key, entryAt(at, dependencies, { build: at, value: at }));
      }
      function invalidate(dependencies: Dependency[]): void {
        follow(l1, ++clock, dependencies);
        naive.drop(dependencies, clock);
      }
      function invalidateOwn(dependencies: Dependency[]): void {
        l1.invalidateOwn(0, dependencies);
        naive.drop(dependencies, Infinity);
        if (random(2) === 0) sweepTurn();
        keys.slice(0, 50).forEach(compare);
        l1.invalidateOwn(0, dependencies, { clock: ++clock, tip: `t${clock}` });
        naive.drop(dependencies, clock);
        if (random(2) === 0) keys.slice(0, 600).forEach(put);
        follow(l1, clock, dependencies);
        naive.drop(dependencies, clock);
      }
      function forget(): void {
        follow(l1, ++clock, '*');
        naive.forget(clock);
      }
      function compare(key: string): void {
        const isServed = l1.find(key) !== undefined;
        if (isServed !== naive.entries.has(key)) throw new Error(`${key} is ${isServed ? '' : 'not '}served`);
        const entry = l1.entry(key);
        if (isServed && (entry as { clock?: number }).clock !== naive.entries.get(key)?.clock)
          throw new Error(`${key} is another one`);
      }
    });
  });
});

/** Two wide dependencies, and forty narrow ones. */
function some(random: (below: number) => number): Dependency[] {
  const names = [`r:W:${random(2)}`, `r:N:${random(40)}`, `r:N:${random(40)}`];
  return deps(...new Set(names.slice(random(2))));
}

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** Removes at once all that an invalidation names, and remembers every invalidation. */
class NaiveL1 {
  readonly entries = new Map<string, { readonly clock: number; readonly size: number }>();
  private readonly dependencies = new Map<string, ReadonlySet<string>>();
  private readonly last = new Map<string, number>();
  private forgottenAt = 0;

  keep(key: string, clock: number, dependencies: ReadonlySet<string>): void {
    if (clock < this.forgottenAt || [...dependencies].some((d) => (this.last.get(d) ?? 0) > clock)) return;
    const present = this.entries.get(key);
    if (present && present.clock >= clock) return;
    this.entries.set(key, { clock, size: dependencies.size });
    this.dependencies.set(key, dependencies);
  }

  drop(dependencies: readonly string[], clock: number): void {
    for (const d of dependencies) {
      if (clock < Infinity) this.last.set(d, clock);
      for (const [key, entry] of this.entries)
        if (entry.clock < clock && this.dependencies.get(key)?.has(d)) this.entries.delete(key);
    }
  }

  forget(clock: number): void {
    this.entries.clear();
    this.forgottenAt = clock;
  }
}
