import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RefusalDelay } from './refusal-delay.js';

describe('[C2] the delay of refusals', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Resolves with how many of so many refusals that come at once have been let through after each of these times. */
  async function passed(delay: RefusalDelay, count: number, timesMs: readonly number[]): Promise<number[]> {
    let through = 0;
    for (let i = 0; i < count; i++) void delay.pass().then(() => (through += 1));
    const seen: number[] = [];
    let now = 0;
    for (const at of timesMs) {
      await jest.advanceTimersByTimeAsync(at - now);
      now = at;
      seen.push(through);
    }
    return seen;
  }

  it('is between 0.5 and 1.5 s, and spreads what came together', async () => {
    const [early, half, all] = await passed(new RefusalDelay(), 1_000, [499, 1_000, 1_501]);
    expect([early, all]).toEqual([0, 1_000]);
    expect(half).toBeGreaterThan(300);
    expect(half).toBeLessThan(700);
  });

  it('holds 2,000 at most: the others pass at once', async () => {
    const delay = new RefusalDelay();
    expect(await passed(delay, 2_500, [1, 1_501])).toEqual([500, 2_500]);
    expect(await passed(delay, 2_001, [1])).toEqual([1]); // the places are free again
  });
});
