import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '../../../cache.errors.js';
import { OrphanLeases } from './orphan-leases.js';

describe('OrphanLeases', () => {
  let released: string[];
  let held: Set<string>;
  let isAway: boolean;
  let orphans: OrphanLeases;

  beforeEach(() => {
    jest.useFakeTimers();
    released = [];
    held = new Set();
    isAway = false;
    orphans = new OrphanLeases(async ({ leaseId }) => {
      if (isAway) throw new StoreUnavailableError('away');
      released.push(leaseId);
      return held.delete(leaseId);
    });
  });
  afterEach(() => {
    orphans.close();
    jest.useRealTimers();
  });

  it('gives a lease back at once', async () => {
    held.add('a');
    orphans.add('k', 'a', 10_000);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(released).toEqual(['a']);
  });

  it('[T3] gives back a lease that is granted after it was given up, within a quarter of a second', async () => {
    orphans.add('k', 'a', 10_000);
    await jest.advanceTimersByTimeAsync(1100);
    held.add('a'); // the client of a cluster has resent the request
    await jest.advanceTimersByTimeAsync(250);
    expect(held.size).toBe(0);
    const tries = released.length;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(released).toHaveLength(tries);
  });

  it('goes on while the store is away, and ends with the lease', async () => {
    isAway = true;
    orphans.add('k', 'a', 2000);
    held.add('a');
    await jest.advanceTimersByTimeAsync(1000);
    isAway = false;
    await jest.advanceTimersByTimeAsync(250);
    expect(released).toEqual(['a']);
    orphans.add('k', 'b', 2000);
    await jest.advanceTimersByTimeAsync(2300);
    released = [];
    await jest.advanceTimersByTimeAsync(5000);
    expect(released).toEqual([]);
  });

  it('remembers a thousand, and gives back a hundred at a time', async () => {
    isAway = true;
    for (let i = 0; i < 1200; i++) orphans.add('k', `${i}`, 60_000);
    isAway = false;
    await jest.advanceTimersByTimeAsync(250);
    expect(released).toHaveLength(100);
    await jest.advanceTimersByTimeAsync(250 * 9);
    expect(new Set(released).size).toBe(1000);
    expect(released).not.toContain('199');
  });
});
