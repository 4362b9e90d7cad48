import { describe, expect, it } from '@jest/globals';
import { record } from '../../dependencies.js';
import { MemoryEntries } from './memory-entries.js';

const ends = (expiresAt?: number) => ({ fetchedAt: 0, expiresAt });
const value = (bytes: number) => ({ codec: 1, bytes: Buffer.alloc(bytes, 'x') });

describe('MemoryEntries', () => {
  it('[F3] stays within its bytes, evicts the least recently used, and forgets the index of what it evicts', () => {
    const entries = new MemoryEntries(20_000, () => 0);
    for (let i = 0; i < 100; i += 1) {
      entries.put(`k${i}`, value(1_000), [record('Order', String(i))], ends(1_000));
      entries.use('k0'); // used all the time, so it stays
    }
    expect(entries.bytes).toBeLessThanOrEqual(20_000);
    expect(entries.count).toBeGreaterThan(5);
    expect(entries.count).toBeLessThan(20);
    expect(entries.has('k0')).toBe(true);
    expect(entries.has('k1')).toBe(false);
    expect(entries.dependantsOf(record('Order', '1'))).toEqual([]);
    expect(entries.dependantsOf(record('Order', '99'))).toEqual(['k99']);
    expect(entries.indexCount).toBe(2 * entries.count);
  });

  it('does not keep what is larger than its bound, and drops the smaller entry that it replaces', () => {
    const entries = new MemoryEntries(10_000, () => 0);
    entries.put('k', value(10), [record('Order', '1')], ends());
    entries.put('k', value(10_000), [record('Order', '1')], ends());
    expect(entries.has('k')).toBe(false);
    expect([entries.count, entries.bytes, entries.indexCount]).toEqual([0, 0, 0]);
  });

  it('charges for dependencies, because they take memory too', () => {
    const entries = new MemoryEntries(1_000_000, () => 0);
    entries.put('plain', value(10), [], ends());
    const plain = entries.bytes;
    entries.put(
      'wide',
      value(10),
      Array.from({ length: 100 }, (_, i) => record('OrderItem', String(i))),
      ends(),
    );
    expect(entries.bytes - plain).toBeGreaterThan(100 * 100);
  });

  it('frees expired entries in bounded steps, and one that is asked for at once', () => {
    let now = 0;
    const entries = new MemoryEntries(1_000_000, () => now);
    for (let i = 0; i < 25; i += 1) entries.put(`k${i}`, value(10), [record('Order', String(i))], ends(100));
    entries.put('long', value(10), [], ends(101));
    now = 99;
    expect(entries.dropExpired(10)).toBe(0);
    now = 100;
    expect(entries.use('k0')).toBeUndefined();
    expect(entries.count).toBe(25);
    expect([entries.dropExpired(10), entries.dropExpired(10), entries.dropExpired(10)]).toEqual([10, 10, 4]);
    expect(entries.keys()).toEqual(['long']);
    expect(entries.indexCount).toBe(1);
  });
});
