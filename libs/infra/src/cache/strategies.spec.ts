import { describe, expect, it } from '@jest/globals';
import { changeDriven, hybrid, sliding, strategyOptions, strategySeconds, ttl } from './strategies.js';

describe('strategies', () => {
  it('say to a read how its entry ends, and to the health page how long it lives at most', () => {
    const bySize = (value: readonly unknown[]) => value.length;
    const cases = [
      [changeDriven(), {}, undefined],
      [changeDriven({ toldBy: 'Order' }), {}, undefined],
      [ttl(90), { ttlSeconds: 90 }, 90],
      [ttl(bySize), { ttlSeconds: bySize }, undefined],
      [hybrid(60), { ttlSeconds: 60 }, 60],
      [sliding(60), { sliding: { seconds: 60 } }, undefined],
      [sliding(60, { absoluteSeconds: 600 }), { sliding: { seconds: 60, absoluteSeconds: 600 } }, 600],
    ] as const;
    for (const [strategy, options, seconds] of cases) {
      expect(strategyOptions<never>(strategy)).toEqual(options);
      expect(strategySeconds<never>(strategy)).toBe(seconds);
    }
  });

  it.each([0, -1, NaN, Infinity])('refuse %d seconds', (seconds) => {
    for (const strategy of [ttl, hybrid, sliding])
      expect(() => strategy(seconds)).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_OPTION' }));
  });

  it('change-driven entries name the feeds that announce them, one or several, or are trusted whether or not a feed is followed', () => {
    expect(changeDriven()).toEqual({ kind: 'change-driven' });
    expect(changeDriven({ toldBy: 'Order' })).toEqual({ kind: 'change-driven', toldBy: ['Order'] });
    expect(changeDriven({ toldBy: ['Order', 'OrderItem'] })).toMatchObject({ toldBy: ['Order', 'OrderItem'] });
    for (const toldBy of ['', [], ['Order', '']])
      expect(() => changeDriven({ toldBy })).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_OPTION' }));
  });

  it('an absolute end before the sliding one is refused', () => {
    expect(() => sliding(60, { absoluteSeconds: 59 })).toThrow(/absoluteSeconds/);
  });
});
