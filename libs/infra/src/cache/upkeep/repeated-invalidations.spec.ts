import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheError, NotAcknowledgedError } from '../cache.errors.js';
import { record, type Dependency } from '../dependencies.js';
import { repeatDelays, RepeatedInvalidations } from './repeated-invalidations.js';

const [A, B] = [record('Thing', 'a'), record('Thing', 'b')];

describe('repeated invalidations', () => {
  let calls: { atMs: number; dependencies: readonly Dependency[] }[];
  let failures: Error[];
  let begin: number;
  const repeats = () =>
    new RepeatedInvalidations(async (dependencies) => {
      calls.push({ atMs: performance.now() - begin, dependencies });
      const failure = failures.shift();
      if (failure) throw failure;
    });
  beforeEach(() => {
    jest.useFakeTimers();
    [calls, failures, begin] = [[], [], performance.now()];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('come after each of their delays, not before', async () => {
    const repeated = repeats();
    repeated.add([A, B], [500, 2000]);
    await jest.advanceTimersByTimeAsync(499);
    expect(calls).toEqual([]);
    await jest.advanceTimersByTimeAsync(5000);
    expect(calls.map(({ dependencies }) => dependencies)).toEqual([
      [A, B],
      [A, B],
    ]);
    const [first, second] = calls.map(({ atMs }) => atMs) as [number, number];
    expect(first).toBeGreaterThanOrEqual(500);
    expect(first).toBeLessThan(560);
    expect(second).toBeGreaterThanOrEqual(2000);
    expect(second).toBeLessThan(2060);
    expect(repeated.counts).toEqual({ repeated: 4, lost: 0 });
    expect(repeated.size).toBe(0);
  });

  it('that are due together go out together, each dependency once', async () => {
    const repeated = repeats();
    for (let i = 0; i < 100; i++) repeated.add([A], [500]);
    repeated.add([B], [500]);
    expect(repeated.size).toBeLessThanOrEqual(4);
    await jest.advanceTimersByTimeAsync(1000);
    expect(calls.map(({ dependencies }) => dependencies)).toEqual([[A, B]]);
  });

  it('are tried again, ever later, until they are acknowledged', async () => {
    failures = [new NotAcknowledgedError('invalidate'), new NotAcknowledgedError('invalidate')];
    const repeated = repeats();
    repeated.add([A], [500]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(calls.map(({ atMs }) => Math.round(atMs / 500) * 500)).toEqual([500, 1500, 3500]);
    expect(repeated.counts).toEqual({ repeated: 1, lost: 0 });
  });

  it('are given up after five retries, and counted', async () => {
    failures = Array.from({ length: 20 }, () => new NotAcknowledgedError('invalidate'));
    const repeated = repeats();
    repeated.add([A], [500]);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(calls).toHaveLength(6);
    expect(repeated.counts).toEqual({ repeated: 0, lost: 1 });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are bounded: what does not fit is counted as lost', async () => {
    const repeated = repeats();
    const many = Array.from({ length: 12_000 }, (_, i) => record('Thing', `${i}`));
    repeated.add(many, [1000]);
    expect(repeated.size).toBe(10_000);
    expect(repeated.counts.lost).toBe(2000);
    await jest.advanceTimersByTimeAsync(1100);
    expect(repeated.counts.repeated).toBe(10_000);
  });

  it('end with the cache', async () => {
    failures = [new CacheError('CACHE_CLOSED', 'the cache is closed', false)];
    const repeated = repeats();
    repeated.add([A], [500, 2000]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(calls).toHaveLength(1);
    expect(repeated.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([[[5]], [[600_001]], [[0.5]], [Array(11).fill(100)]])('take no such delays: %j', (afterMs) => {
    expect(() => repeatDelays(afterMs)).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_OPTION' }));
  });
});
