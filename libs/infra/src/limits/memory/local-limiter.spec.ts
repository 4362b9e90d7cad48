import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LocalLimiter } from './local-limiter.js';

describe('the limiter of one process', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives as many points in a window as the policy has, to each payer', async () => {
    const limiter = new LocalLimiter({ points: 2, windowSeconds: 10 });
    expect(await limiter.take('a')).toEqual({ isGiven: true, remaining: 1, resetMs: 10_000 });
    jest.advanceTimersByTime(4_000);
    expect(await limiter.take('a')).toEqual({ isGiven: true, remaining: 0, resetMs: 6_000 });
    expect(await limiter.take('a')).toEqual({ isGiven: false, remaining: 0, resetMs: 6_000 });
    expect(await limiter.take('b')).toMatchObject({ isGiven: true });
    jest.advanceTimersByTime(6_000);
    expect(await limiter.take('a')).toMatchObject({ isGiven: true });
  });

  it('[invariant 12] remembers a bounded number of payers, the latest, and keeps no timer for the others', async () => {
    const limiter = new LocalLimiter({ points: 1, windowSeconds: 10 }, 100);
    for (let i = 0; i < 1_000; i++) await limiter.take(`payer ${i}`);
    expect(jest.getTimerCount()).toBe(100);
    expect(await limiter.take('payer 999')).toMatchObject({ isGiven: false });
    expect(await limiter.take('payer 0')).toMatchObject({ isGiven: true });
  });
});
