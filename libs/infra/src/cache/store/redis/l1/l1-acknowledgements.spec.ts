import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { L1Acknowledgements, type Audience } from './l1-acknowledgements.js';
import { Partition } from '../partition/partition.js';

const TIMES = { beatMs: 250, leaseMs: 1000 };
/** A lease, plus the margin for another process' slower clock. */
const WHOLE_LEASE_MS = 1020;
const PARTITION = new Partition('{t}', 0);

describe('L1Acknowledgements', () => {
  /** Answer of the store about the members: the birth of its history, and who still owes. */
  let store: { born: number; owing: string[] };
  let evicted: (readonly string[])[];
  let acknowledgements: L1Acknowledgements;

  function create(isStrict = true): L1Acknowledgements {
    return new L1Acknowledgements('self', TIMES, isStrict, async (_, __, members, evict) => {
      if (evict) evicted.push(members);
      return { born: store.born, members: members.filter((member) => store.owing.includes(member)) };
    });
  }

  beforeEach(() => {
    jest.useFakeTimers();
    store = { born: 1, owing: [] };
    evicted = [];
    acknowledgements = create();
  });
  afterEach(() => void jest.useRealTimers());

  /** Waits for an invalidation; the result returns after how many milliseconds it settled, or undefined before. */
  function settle(audience: Partial<Audience> & { readonly members?: readonly string[] }): () => number | undefined {
    const { members = [], ...rest } = audience;
    const sentAt = performance.now();
    let after: number | undefined;
    acknowledgements.expect('tip');
    const membership = { version: 'v', members };
    void acknowledgements
      .settled(PARTITION, { clock: 7, tip: 'tip', membership, born: 1, isMature: true, ...rest })
      .then(() => (after = performance.now() - sentAt));
    return () => after;
  }

  describe('after the birth of a gate', () => {
    it('waits for a whole lease, although nobody is listed: the members are lost, their leases are not', async () => {
      const settledAfter = settle({ isMature: false });
      await jest.advanceTimersByTimeAsync(WHOLE_LEASE_MS - 1);
      expect(settledAfter()).toBeUndefined();
      await jest.advanceTimersByTimeAsync(1);
      expect(settledAfter()).toBe(WHOLE_LEASE_MS);
    });

    it('counts the lease from when this process first learned of the birth', async () => {
      acknowledgements.learnBirth(PARTITION, 1);
      await jest.advanceTimersByTimeAsync(600);
      const settledAfter = settle({ isMature: false });
      await jest.advanceTimersByTimeAsync(2000);
      expect(settledAfter()).toBe(WHOLE_LEASE_MS - 600);
    });

    it('does not count what it knew of another birth', async () => {
      acknowledgements.learnBirth(PARTITION, 2);
      await jest.advanceTimersByTimeAsync(5000);
      expect(acknowledgements.matureBirth(PARTITION)).toBe(2);
      const settledAfter = settle({ isMature: false });
      expect(acknowledgements.matureBirth(PARTITION)).toBeUndefined();
      await jest.advanceTimersByTimeAsync(2000);
      expect(settledAfter()).toBe(WHOLE_LEASE_MS);
      expect(acknowledgements.matureBirth(PARTITION)).toBe(1);
    });

    it('waits for nobody when somebody has known it for a lease, or when no L1 must be waited for', async () => {
      const ofAge = settle({ isMature: true });
      await jest.advanceTimersByTimeAsync(0);
      expect(ofAge()).toBe(0);
      acknowledgements = create(false);
      const withoutL1s = settle({ isMature: false });
      await jest.advanceTimersByTimeAsync(0);
      expect(withoutL1s()).toBe(0);
    });
  });

  it('is settled by the word of the last member, also by one that came before the reply', async () => {
    acknowledgements.expect('tip');
    store.owing = ['a', 'b'];
    const settledAfter = settle({ members: ['a', 'self', 'b'] });
    acknowledgements.receive('a', ['other', 'tip']);
    await jest.advanceTimersByTimeAsync(20);
    expect(settledAfter()).toBeUndefined();
    acknowledgements.receive('b', ['tip']);
    await jest.advanceTimersByTimeAsync(0);
    expect(settledAfter()).toBe(20);
    expect(evicted).toEqual([]);
  });

  it('is settled after a lease without a word, and has the silent removed', async () => {
    store.owing = ['a'];
    const settledAfter = settle({ members: ['a', 'b'] });
    await jest.advanceTimersByTimeAsync(5000);
    expect(settledAfter()).toBe(WHOLE_LEASE_MS);
    expect(evicted).toEqual([['a']]);
  });

  it('takes nobody for settled, and removes nobody, because another history does not list it', async () => {
    store = { born: 2, owing: [] };
    const settledAfter = settle({ members: ['a'] });
    await jest.advanceTimersByTimeAsync(5000);
    expect(settledAfter()).toBe(WHOLE_LEASE_MS);
    expect(evicted).toEqual([]);
  });
});
