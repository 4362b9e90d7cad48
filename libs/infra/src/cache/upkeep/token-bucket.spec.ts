import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

describe('a bucket of tokens', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const takeAll = (bucket: TokenBucket) => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };

  it('gives one second`s worth at once, and then its rate', () => {
    const bucket = new TokenBucket(10);
    expect(takeAll(bucket)).toBe(10);
    expect(bucket.waitMs).toBeCloseTo(100);
    jest.advanceTimersByTime(550);
    expect(takeAll(bucket)).toBe(5);
    jest.advanceTimersByTime(60_000);
    expect(takeAll(bucket)).toBe(10);
  });

  it('may be slower than one a second', () => {
    const bucket = new TokenBucket(0.1);
    expect(takeAll(bucket)).toBe(1);
    expect(bucket.waitMs).toBeCloseTo(10_000);
    jest.advanceTimersByTime(10_001);
    expect(takeAll(bucket)).toBe(1);
  });

  it('takes back what was not needed, and never more than it holds', () => {
    const bucket = new TokenBucket(2);
    bucket.giveBack();
    expect(takeAll(bucket)).toBe(2);
    bucket.giveBack();
    expect(takeAll(bucket)).toBe(1);
  });

  it('of two rates holds the lower', () => {
    const bucket = new TokenBucket(10);
    bucket.limitTo(20);
    bucket.limitTo(3);
    expect(takeAll(bucket)).toBe(3);
  });
});
