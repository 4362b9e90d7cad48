import { describe, expect, it } from '@jest/globals';
import { hitClock } from './hit-clock.js';

describe('hitClock', () => {
  it('is never behind performance.now(), by which leases are counted, and never goes back', () => {
    let last = -Infinity;
    const wrong: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const now = performance.now();
      const hit = hitClock();
      if (hit < now || hit < last) wrong.push(hit - now);
      last = hit;
    }
    expect(wrong).toEqual([]);
  });

  it('runs as performance.now() does', () => {
    // The less time passes between the two readings, the greater the difference, so the maximum is the most exact.
    const difference = () => Math.max(...Array.from({ length: 1000 }, () => hitClock() - performance.now()));
    const first = difference();
    const end = performance.now() + 20;
    while (performance.now() < end);
    expect(Math.abs(difference() - first)).toBeLessThan(0.05);
  });
});
