import { beforeEach, describe, expect, it } from '@jest/globals';
import { StoreUnavailableError } from '../cache.errors.js';
import type { ReadOutcome } from '../cache.types.js';
import { MemoryCacheStore } from '../store/memory/memory-cache-store.js';
import type { StoredValue } from '../store/cache-store.js';
import { ValueCodec } from '../values/value-codec.js';
import { ReadThrough } from './read-through.js';
import { Reader } from './reader.js';

/** Gives one promise to all who ask before `send`, as the store on Redis does. */
class SharingStore extends MemoryCacheStore {
  reads = 0;
  isAway = false;
  private shared: Promise<StoredValue | undefined> | undefined;

  override read(key: string): Promise<StoredValue | undefined> {
    this.shared ??= this.readOnce(key);
    return this.shared;
  }

  send(): void {
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
  let fetches: number;
  let outcomes: ReadOutcome[];

  beforeEach(async () => {
    store = new SharingStore({ maxBytes: 1e6 });
    await store.open();
    const codec = new ValueCodec(undefined);
    const defaults = { waitMs: 1000, leaseMs: 1000, safetyTtlSeconds: undefined };
    reader = new Reader(store, codec, new ReadThrough(store, codec, 8), defaults, () => undefined);
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

  it('asks the source for all of them when the store is away', async () => {
    store.isAway = true;
    expect(await askTogether(100)).toEqual(Array(100).fill({ fetch: 1 }));
    expect(new Set(outcomes)).toEqual(new Set(['bypass']));
  });

  it('rejects whoever may not ask, or asks with bad options, without a throw', async () => {
    await expect(reader.getOrSet('d:k', fetch, { waitMs: -1 })).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
  });
});
