import { describe, expect, it } from '@jest/globals';
import { lifeMs, type EntryLife } from './get-or-set-options.js';

const life = (given: Partial<EntryLife>): EntryLife => ({
  ttl: undefined,
  safetyTtlMs: undefined,
  cacheNull: true,
  negativeTtlMs: undefined,
  jitter: 0,
  ...given,
});

describe('how long a built value is kept', () => {
  it('until it is invalidated if nothing was said, bounded by the safety TTL where there is one', () => {
    expect(lifeMs(life({}), 'v')).toBeUndefined();
    expect(lifeMs(life({ safetyTtlMs: 5000 }), 'v')).toBe(5000);
    expect(lifeMs(life({ safetyTtlMs: 5000, ttl: 60 }), 'v')).toBe(60_000);
  });

  it('undefined is never stored, and null only where that is allowed', () => {
    expect(lifeMs(life({ ttl: 60 }), undefined)).toBe(0);
    expect(lifeMs(life({ ttl: 60 }), null)).toBe(60_000);
    expect(lifeMs(life({ ttl: 60, cacheNull: false, negativeTtlMs: 10 }), null)).toBe(0);
  });

  it('null ends with the negative TTL if that is sooner; empty values are not negative', () => {
    const brief = life({ ttl: 60, negativeTtlMs: 5000 });
    expect(lifeMs(brief, null)).toBe(5000);
    for (const value of [[], {}, '', 0, false]) expect(lifeMs(brief, value)).toBe(60_000);
    expect(lifeMs(life({ ttl: 1, negativeTtlMs: 5000 }), null)).toBe(1000);
    expect(lifeMs(life({ negativeTtlMs: 5000 }), null)).toBe(5000);
    expect(lifeMs(life({ negativeTtlMs: 5000, safetyTtlMs: 1000 }), null)).toBe(1000);
  });

  it('a function decides from the value: undefined is no TTL of its own, 0 or less is not stored', () => {
    const byStatus = life({
      ttl: (value) => (value as { seconds?: number }).seconds,
      safetyTtlMs: 7000,
    });
    expect(lifeMs(byStatus, { seconds: 3 })).toBe(3000);
    expect(lifeMs(byStatus, {})).toBe(7000);
    expect(lifeMs(byStatus, { seconds: 0 })).toBe(0);
    expect(lifeMs(byStatus, { seconds: -1 })).toBe(0);
    expect(lifeMs(byStatus, { seconds: 0.0001 })).toBe(1);
  });

  it('a function is not asked about null where there is a negative TTL, and may not answer anything but seconds', () => {
    const never = () => {
      throw new Error('must not be asked');
    };
    expect(lifeMs(life({ ttl: never, negativeTtlMs: 5000 }), null)).toBe(5000);
    for (const wrong of [NaN, Infinity, -Infinity, '60' as never]) {
      const ask = () => lifeMs(life({ ttl: () => wrong }), 'v');
      if (wrong === -Infinity) expect(ask()).toBe(0);
      else expect(ask).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_OPTION' }));
    }
  });

  it('jitter shortens, never lengthens, and spreads', () => {
    const lives = Array.from({ length: 500 }, () => lifeMs(life({ ttl: 100, jitter: 0.2 }), 'v') as number);
    expect(Math.max(...lives)).toBeLessThanOrEqual(100_000);
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(80_000);
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(10_000);
    expect(lifeMs(life({ jitter: 0.5 }), 'v')).toBeUndefined();
    expect(lifeMs(life({ ttl: 0.001, jitter: 0.5 }), 'v')).toBe(1);
  });
});
