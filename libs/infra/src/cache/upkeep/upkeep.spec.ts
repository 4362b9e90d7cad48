import { describe, expect, it } from '@jest/globals';
import type { GetOrSetOptions } from '../cache.types.js';
import { StoreUnavailableError } from '../cache.errors.js';
import type { CacheStore, StoredValue } from '../protocol/cache-store.js';
import type { BackgroundBuilds } from '../read-through/background-builds.js';
import { resolveGetOrSetOptions } from '../read-through/get-or-set-options.js';
import { StoreClock } from '../read-through/store-clock.js';
import { Upkeep } from './upkeep.js';

const DEFAULTS = { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined };
const fetcher = async () => 'new';

/** An entry whose fetch began `agoMs` ago and that ends in `leftMs`. */
const entry = (agoMs: number, leftMs: number): StoredValue => ({
  codec: 0,
  bytes: Buffer.from('1'),
  fetchedAt: 1_000_000 - agoMs,
  expiresAt: 1_000_000 + leftMs,
});

function setUp(options: GetOrSetOptions<unknown>, { remainingMs }: { remainingMs?: number } = {}) {
  const calls: unknown[] = [];
  let stored: StoredValue | undefined;
  const store = {
    l1: { get: () => 'v', remainingMs: () => remainingMs },
    read: async () => (calls.push('read'), stored),
    extend: async (...args: unknown[]) => {
      calls.push(['extend', ...args]);
      throw new StoreUnavailableError('an outage is no reason to complain');
    },
  } as unknown as CacheStore;
  const builds = { run: async (key: string) => void calls.push(['build', key]) } as unknown as BackgroundBuilds;
  const clock = new StoreClock();
  clock.learn(1_000_000, performance.now());
  const upkeep = new Upkeep(store, clock, builds);
  const resolved = resolveGetOrSetOptions(options, DEFAULTS);
  return {
    calls,
    keep: (value: StoredValue) => void (stored = value),
    hit: (value: StoredValue, key = 'k') => upkeep.afterHit(key, value, 'v', fetcher, resolved),
    l1Hit: (key = 'k') => upkeep.afterL1Hit(key, Promise.resolve('v'), fetcher, resolved),
  };
}

describe('what a hit sets off', () => {
  it('a build, once the part of the life has passed, and not again at once', () => {
    const { calls, hit } = setUp({ ttlSeconds: 10, refreshAhead: 0.8 });
    hit(entry(7000, 3000));
    expect(calls).toEqual([]);
    hit(entry(8500, 1500), 'due');
    hit(entry(8500, 1500), 'due');
    expect(calls).toEqual([['build', 'due']]);
  });

  it('nothing where the entry has no end', () => {
    const { calls, hit } = setUp({ refreshAhead: 0.8 });
    hit({ ...entry(8000, 0), expiresAt: 0 });
    expect(calls).toEqual([]);
  });

  it('a later end when less than half is left, within the absolute one, a few times at most', () => {
    const { calls, hit } = setUp({ sliding: { seconds: 10, absoluteSeconds: 60 } });
    hit(entry(4000, 6000));
    expect(calls).toEqual([]);
    hit(entry(6000, 4000));
    hit(entry(6000, 4000));
    expect(calls).toEqual([['extend', 'k', 10_000, 60_000]]);
  });

  it('nothing once the absolute end is reached, and no bound where none was given', () => {
    const bounded = setUp({ sliding: { seconds: 10, absoluteSeconds: 60 } });
    bounded.hit(entry(58_000, 2000));
    expect(bounded.calls).toEqual([]);
    const endless = setUp({ sliding: { seconds: 10 } });
    endless.hit(entry(58_000, 2000));
    expect(endless.calls).toEqual([['extend', 'k', 10_000, undefined]]);
  });

  it('of a hit in the process nothing while there is time left; then a look at the entry, once', async () => {
    const early = setUp({ ttlSeconds: 10, refreshAhead: 0.8 }, { remainingMs: 2500 });
    early.l1Hit();
    expect(early.calls).toEqual([]);
    const late = setUp({ ttlSeconds: 10, refreshAhead: 0.8 }, { remainingMs: 1500 });
    late.keep(entry(8500, 1500));
    late.l1Hit();
    late.l1Hit();
    await new Promise(setImmediate);
    late.l1Hit();
    expect(late.calls).toEqual(['read', ['build', 'k']]);
  });

  it('of a hit in the process no build when another process has refreshed the entry already', async () => {
    const { calls, keep, l1Hit } = setUp({ ttlSeconds: 10, refreshAhead: 0.8 }, { remainingMs: 1500 });
    keep(entry(100, 9900));
    l1Hit();
    await new Promise(setImmediate);
    l1Hit();
    expect(calls).toEqual(['read']);
  });
});
