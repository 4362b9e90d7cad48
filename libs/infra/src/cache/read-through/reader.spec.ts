import { beforeEach, describe, expect, it } from '@jest/globals';
import { StoreUnavailableError, type CacheError } from '../cache.errors.js';
import type { ReadOutcome } from '../cache.types.js';
import { MemoryCacheStore } from '../store/memory/memory-cache-store.js';
import type { StoredValue, StoreRead } from '../protocol/cache-store.js';
import { ValueCodec } from '../protocol/value-codec.js';
import { ReadThrough } from './read-through.js';
import type { ResolvedOptions } from './get-or-set-options.js';
import { isBounded, Reader } from './reader.js';
import { Waiter } from './waiters/waiter.js';

/** Gives one read to all callers that come before `send`, as the store on Redis does until it sends its batch. */
class SharingStore extends MemoryCacheStore {
  reads = 0;
  isAway = false;
  private shared: { readonly reply: Promise<StoredValue | undefined>; isOpen: boolean } | undefined;

  override requestRead(key: string): StoreRead {
    this.shared ??= { reply: this.readOnce(key), isOpen: true };
    return this.shared;
  }

  send(): void {
    if (this.shared) this.shared.isOpen = false;
    this.shared = undefined;
  }

  private async readOnce(key: string): Promise<StoredValue | undefined> {
    this.reads++;
    if (this.isAway) throw new StoreUnavailableError('it is away');
    return super.read(key);
  }
}

describe('Reader', () => {
  let store: SharingStore;
  let reader: Reader;
  let readThrough: ReadThrough;
  let fetches: number;
  let outcomes: ReadOutcome[];

  beforeEach(async () => {
    store = new SharingStore({ maxBytes: 1e6 });
    await store.open();
    const codec = new ValueCodec(undefined);
    const defaults = { waitMs: 1000, leaseMs: 1000, safetyTtlSeconds: undefined };
    readThrough = new ReadThrough(store, codec, 8);
    reader = new Reader(store, codec, readThrough, defaults, () => undefined, {
      afterHit: () => undefined,
      afterL1Hit: () => undefined,
    });
    fetches = 0;
    outcomes = [];
  });

  const fetch = () => Promise.resolve({ fetch: ++fetches });
  const ask = () => reader.getOrSet('d:k', fetch, { onOutcome: (outcome) => outcomes.push(outcome) });
  const askTogether = (count: number) => Promise.all(Array.from({ length: count }, ask));

  it('gives each of those who share a read of the store a copy of their own', async () => {
    await ask();
    store.send();
    const [one, other] = await askTogether(2);
    expect(store.reads).toBe(2);
    expect(one).toEqual({ fetch: 1 });
    expect(other).toEqual(one);
    expect(other).not.toBe(one);
    expect(outcomes).toEqual(['miss', 'hit', 'hit']);
  });

  it('asks the store once, and the source once, for all who come before the read is sent', async () => {
    const values = await askTogether(100);
    expect(store.reads).toBe(1);
    expect(values).toEqual(Array(100).fill({ fetch: 1 }));
    expect(outcomes).toEqual(['miss', ...Array<string>(99).fill('coalesced')]);
  });

  it('joins no read that is on its way', async () => {
    const first = ask();
    store.send();
    await Promise.all([first, ask()]);
    expect(store.reads).toBe(2);
  });

  it('asks the source for all of them when the store is away', async () => {
    store.isAway = true;
    expect(await askTogether(100)).toEqual(Array(100).fill({ fetch: 1 }));
    expect(new Set(outcomes)).toEqual(new Set(['bypass']));
  });

  it('rejects a caller that may not ask, or asks with bad options, without a throw', async () => {
    await expect(reader.getOrSet('d:k', fetch, { waitMs: -1 })).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
  });

  it('only a bound on the age makes a read one that the L1 cannot answer', () => {
    for (const given of [undefined, null, 90, {}, { ttlSeconds: 5 }, reader.resolve({})] as const) {
      expect(isBounded(given)).toBe(false);
    }
    expect(isBounded({ maxAgeSeconds: 0 })).toBe(true);
    expect(isBounded(reader.resolve({ maxAgeSeconds: 60 }))).toBe(true);
  });

  describe('callers who come together with the same options', () => {
    const together = (count: number, fetcher: () => Promise<unknown> = fetch, more: Partial<ResolvedOptions> = {}) => {
      const options = { ...reader.resolve({ onOutcome: (outcome) => outcomes.push(outcome) }), ...more };
      return Array.from({ length: count }, () => reader.getOrSet<unknown>('d:k', fetcher, options));
    };

    it('are answered by one fetch, and each is counted', async () => {
      const values = await Promise.all(together(100));
      expect(values).toEqual(Array(100).fill({ fetch: 1 }));
      expect(store.reads).toBe(1);
      expect(outcomes.sort()).toEqual([...Array<string>(99).fill('coalesced'), 'miss']);
    });

    it('each get a copy of their own of what they hit', async () => {
      await ask();
      store.send();
      outcomes = [];
      const values = await Promise.all(together(5));
      expect(values).toEqual(Array(5).fill({ fetch: 1 }));
      expect(new Set(values).size).toBe(5);
      expect(outcomes).toEqual(Array(5).fill('hit'));
    });

    it('all learn that the fetch has failed, and of a source that answers without the store', async () => {
      const failed = await Promise.allSettled(together(5, () => Promise.reject(new Error('no'))));
      expect(failed.map((result) => (result as PromiseRejectedResult).reason?.message)).toEqual(Array(5).fill('no'));
      expect(outcomes).toEqual([]);
      store.send();
      store.isAway = true;
      expect(await Promise.all(together(5))).toEqual(Array(5).fill({ fetch: 1 }));
      expect(outcomes).toEqual(Array(5).fill('bypass'));
    });

    it('are each told of an entry that is too old for them', async () => {
      await ask();
      store.send();
      let tooOld = 0;
      readThrough.clock.learn(Date.now() + 60_000, performance.now());
      await Promise.all(together(5, fetch, { maxAgeSeconds: 1, onTooOld: () => tooOld++ }));
      expect(tooOld).toBe(5);
    });

    it.each([
      ['with the store', false],
      ['while it is away', true],
    ])('wait for the one who fetches no longer than their patience, %s', async (_name, isAway) => {
      store.isAway = isAway;
      let end!: (value: unknown) => void;
      const held = new Promise<unknown>((resolve) => (end = resolve));
      const settled: unknown[] = [];
      const told = together(20, () => held, { waitMs: 40 }).map(async (answer) => {
        settled.push(await answer.catch((error: CacheError) => error.code));
        if (settled.length === 19) end('late');
      });
      await Promise.all(told);
      expect(settled).toEqual([...Array<string>(19).fill('CACHE_WAIT_TIMEOUT'), 'late']);
    });

    it('are kept apart when a lease has been asked for between them, or when they want different things', () => {
      const options = reader.resolve({});
      const waiter = new Waiter('d:k', fetch, options);
      waiter.arrive(7);
      expect(waiter.cameWith(options, 7)).toBe(true);
      expect(waiter.cameWith(options, 8)).toBe(false); // a lease asked for in between may answer the first caller only
      expect(waiter.cameWith(reader.resolve({ waitMs: 5 }), 7)).toBe(false);
    });
  });
});
