import { describe, expect, it } from '@jest/globals';
import { retryDelayMs } from './retry-delay.js';

describe('retryDelayMs', () => {
  it('[invariant 12] grows, spreads, and never exceeds half a second', () => {
    for (let attempt = 1; attempt <= 2_000; attempt += 1) {
      const full = Math.min(500, 25 * 2 ** (attempt - 1));
      const delay = retryDelayMs(attempt);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
    expect(new Set(Array.from({ length: 50 }, () => retryDelayMs(10))).size).toBeGreaterThan(10);
  });
});
