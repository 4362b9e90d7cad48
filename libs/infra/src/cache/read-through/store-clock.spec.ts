import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isYoungEnough } from './entry-age.js';
import { StoreClock } from './store-clock.js';

describe('StoreClock', () => {
  let clock: StoreClock;
  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    clock = new StoreClock();
  });
  afterEach(() => void jest.useRealTimers());

  it('does not know the store`s time before the store has told it', () => {
    expect(clock.isKnown).toBe(false);
    expect(clock.latest()).toBe(Infinity);
  });

  it('counts from the sending of the request, so that a late reply makes the time later and never earlier', () => {
    const sentAt = performance.now();
    jest.advanceTimersByTime(30_000); // the reply is slow, or this process stood still before it read it
    clock.learn(1_000_000, sentAt);
    // The store may have read its clock at the very beginning of the 30 s.
    expect(clock.latest()).toBeGreaterThanOrEqual(1_030_000);
    expect(clock.latest()).toBeLessThanOrEqual(1_030_002);
    jest.advanceTimersByTime(5000);
    expect(clock.latest()).toBeGreaterThanOrEqual(1_035_000);
  });

  it('does not rely for long on what it has learned', () => {
    clock.learn(1_000_000, performance.now());
    jest.advanceTimersByTime(59_000);
    expect(clock.latest()).toBeLessThan(Infinity);
    jest.advanceTimersByTime(2000);
    expect(clock.latest()).toBe(Infinity);
    clock.learn(1_061_000, performance.now());
    expect(clock.latest()).toBeGreaterThanOrEqual(1_061_000);
    expect(clock.latest()).toBeLessThan(1_061_010);
  });
});

describe('the age of an entry', () => {
  it('is nothing to a read that sets no bound', () => {
    expect(isYoungEnough(undefined, undefined, Infinity)).toBe(true);
  });

  it.each([
    [1000, 60, 61_000, true],
    [1000, 60, 61_001, false],
    [1000, 0, 1001, false],
    [1000, 60, Infinity, false], // the store's time is not known
    [undefined, 60, 61_000, false],
    [90_000, 60, 61_000, false], // the store's clock was put back
    [1000, NaN, 1000, false],
  ])('fetched at %s, %s s allowed, the time at most %s: %s', (fetchedAt, maxAgeSeconds, latest, isYoung) => {
    expect(isYoungEnough(fetchedAt, maxAgeSeconds, latest)).toBe(isYoung);
  });
});
