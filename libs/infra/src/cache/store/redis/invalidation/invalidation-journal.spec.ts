import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '../../../cache.errors.js';
import { record, type Dependency } from '../../../dependencies.js';
import { InvalidationJournal } from './invalidation-journal.js';

const [A, B] = [record('Order', 'a'), record('Order', 'b')] as [Dependency, Dependency];

describe('InvalidationJournal', () => {
  /** The batches carried out, in order. */
  let carriedOut: (readonly Dependency[] | '*')[];
  let isStoreAway: boolean;
  let attempts: number;
  let trust: string[];
  /** Called during each `carryOut`, unless the store is away. */
  let meanwhile: () => void;
  /** Called when everything has been carried out. */
  let afterwards: () => void;
  let journal: InvalidationJournal;

  beforeEach(() => {
    jest.useFakeTimers();
    [carriedOut, isStoreAway, attempts, trust] = [[], true, 0, []];
    meanwhile = afterwards = () => undefined;
    journal = new InvalidationJournal({
      carryOut: async (dependencies) => {
        attempts++;
        if (isStoreAway) throw new StoreUnavailableError('away');
        meanwhile();
        carriedOut.push(dependencies);
      },
      onOwing: () => trust.push('none'),
      onSettled: () => {
        trust.push('again');
        afterwards();
      },
    });
  });
  afterEach(() => {
    journal.close();
    jest.useRealTimers();
  });

  it('owes each dependency once, tries four times a second, and trusts again when all was carried out', async () => {
    journal.add([A, B]);
    journal.add([A]);
    expect(journal.size).toBe(2);
    expect(journal.reason).toMatch(/^2 invalidations were not acknowledged/);
    expect(trust).toEqual(['none']);
    await jest.advanceTimersByTimeAsync(1010);
    expect(attempts).toBe(5);
    isStoreAway = false;
    await jest.advanceTimersByTimeAsync(250);
    expect(carriedOut).toEqual([[A, B]]);
    expect([journal.size, journal.reason, trust]).toEqual([0, undefined, ['none', 'again']]);
    await jest.advanceTimersByTimeAsync(1000);
    expect(attempts).toBe(6);
  });

  it('does not wait when there is reason to believe that the store is back', async () => {
    journal.add([A]);
    await jest.advanceTimersByTimeAsync(10);
    isStoreAway = false;
    journal.hasten();
    await jest.advanceTimersByTimeAsync(1);
    expect(journal.size).toBe(0);
  });

  it('repeats what was owed again while it was carried out: the change may be newer than the repetition', async () => {
    journal.add([A, B]);
    isStoreAway = false;
    meanwhile = () => {
      meanwhile = () => undefined;
      journal.add([B]);
    };
    await jest.advanceTimersByTimeAsync(250);
    expect(carriedOut).toEqual([[A, B], [B]]);
    expect(trust).toEqual(['none', 'again']);
  });

  it('carries out at once what is owed again in the very turn in which all was settled', async () => {
    journal.add([A]);
    isStoreAway = false;
    afterwards = () => {
      afterwards = () => undefined;
      void Promise.resolve().then(() => journal.add([B])); // like a call that is rejected in the same turn
    };
    await jest.advanceTimersByTimeAsync(1000);
    expect(carriedOut).toEqual([[A], [B]]);
    expect([journal.size, trust]).toEqual([0, ['none', 'again', 'none', 'again']]);
  });

  it('goes by batches of what a script takes, and keeps what one has carried out', async () => {
    journal.add(Array.from({ length: 1200 }, (_, i) => record('Order', String(i))));
    isStoreAway = false;
    meanwhile = () => (isStoreAway = carriedOut.length === 1); // the store fails after the second batch
    await jest.advanceTimersByTimeAsync(260);
    expect(journal.size).toBe(200);
    isStoreAway = false;
    await jest.advanceTimersByTimeAsync(260);
    expect(carriedOut.map(({ length }) => length)).toEqual([500, 500, 200]);
    expect(journal.size).toBe(0);
  });

  it('gives the names up beyond ten thousand, and drops everything instead', async () => {
    for (let i = 0; i < 12_000; i++) journal.add([record('Order', String(i))]);
    expect(journal.size).toBe(10_000);
    expect(journal.reason).toMatch(/more than 10000 .* all is dropped/);
    isStoreAway = false;
    meanwhile = () => {
      meanwhile = () => undefined;
      journal.add([A]);
    };
    await jest.advanceTimersByTimeAsync(250);
    expect(carriedOut).toEqual(['*', '*']); // an addition meanwhile is not kept by name either
    expect(journal.size).toBe(0);
    journal.add([A]);
    await jest.advanceTimersByTimeAsync(1);
    expect(carriedOut.at(-1)).toEqual([A]);
  });
});
