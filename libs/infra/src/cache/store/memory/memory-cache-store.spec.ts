import { describe, expect, it } from '@jest/globals';
import { record } from '../../dependencies.js';
import { MemoryCacheStore } from './memory-cache-store.js';

/** Promises of this implementation alone; `test/contract` tests those that it shares with the other stores. */
describe('MemoryCacheStore', () => {
  const value = { codec: 1, bytes: Buffer.from('v') };

  async function lease(store: MemoryCacheStore, key: string) {
    const reply = await store.begin({ key, leaseId: key, leaseMs: 100, known: [] });
    if (reply.kind !== 'lease') throw new Error(`no lease, but ${reply.kind}`);
    return reply.start;
  }

  it('ends entries and leases to the millisecond of its clock, counted from the start of the fetch', async () => {
    let now = 1_000;
    const store = new MemoryCacheStore({ clock: () => now });
    const start = await lease(store, 'k');
    expect(start.at).toBe(1_000);
    now = 1_050;
    const commit = { key: 'k', leaseId: 'k', start, value, dependencies: [], ttlMs: 90 };
    expect(await store.commit(commit)).toBe('ok');
    now = 1_089;
    expect(await store.read('k')).toEqual({ ...value, fetchedAt: 1_000, expiresAt: 1_090 });
    now = 1_090;
    expect(await store.read('k')).toBeUndefined();
    await lease(store, 'l');
    now = 1_189;
    expect(await store.status('l')).toEqual({ status: 'pending', leaseId: 'l', expiresInMs: 1 });
    now = 1_190;
    expect(await store.status('l')).toEqual({ status: 'empty' });
  });

  it('answers expired at the very millisecond at which the TTL ends', async () => {
    let now = 0;
    const store = new MemoryCacheStore({ clock: () => now });
    const commit = { key: 'k', leaseId: 'k', start: await lease(store, 'k'), value, dependencies: [], ttlMs: 90 };
    now = 90;
    expect(await store.commit(commit)).toBe('expired');
    expect(store.indexCount).toBe(0);
  });

  it('takes over a lease whose start the window no longer reaches, since its commit can only be refused', async () => {
    const store = new MemoryCacheStore({ windowMax: 2 });
    await lease(store, 'k');
    await store.invalidate([record('A', '1'), record('A', '2'), record('A', '3')]);
    expect(await store.begin({ key: 'k', leaseId: 'new', leaseMs: 100, known: [] })).toMatchObject({ kind: 'lease' });
  });

  it('says what it holds, and sweeps at most 1,000 expired entries a step', async () => {
    let now = 0;
    const store = new MemoryCacheStore({ clock: () => now });
    for (let i = 0; i < 1_500; i += 1) await store.write({ key: `k${i}`, value, dependencies: [], ttlMs: 10 });
    expect(store.state()).toMatchObject({ kind: 'memory', status: 'up', entries: 1_500 });
    expect(store.state().bytes).toBeGreaterThan(1_500 * 5);
    now = 10;
    expect(await store.sweep()).toEqual({ freed: 1_000, more: true });
    expect(await store.sweep()).toEqual({ freed: 500, more: false });
    expect(store.state()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('rejects everything once it is closed, and says why', async () => {
    const store = new MemoryCacheStore();
    await store.write({ key: 'k', value, dependencies: [], ttlMs: undefined });
    await store.close();
    await store.close();
    const closed = { code: 'CACHE_STORE_UNAVAILABLE', message: 'the embedded store was closed; create a new one' };
    await expect(store.read('k')).rejects.toMatchObject(closed);
    await expect(store.invalidate([record('A', '1')])).rejects.toMatchObject(closed);
    await expect(store.keys()[Symbol.asyncIterator]().next()).rejects.toMatchObject(closed);
    expect(store.state()).toEqual({ kind: 'memory', status: 'down', reason: 'the embedded store was closed' });
  });

  it('refuses bounds that are none', () => {
    for (const maxBytes of [0, -1, 1.5, Infinity, Number.NaN]) {
      expect(() => new MemoryCacheStore({ maxBytes })).toThrow('maxBytes must be a positive whole number');
    }
    expect(() => new MemoryCacheStore({ windowMax: 0 })).toThrow('windowMax must be a positive whole number');
  });
});
