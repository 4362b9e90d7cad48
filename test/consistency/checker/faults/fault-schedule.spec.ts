import { describe, expect, it } from '@jest/globals';
import { faultKinds, scheduleFaults } from './fault-schedule.js';

describe('the schedule of faults', () => {
  it('follows from the seed alone', () => {
    expect(scheduleFaults(7, 60_000, faultKinds)).toEqual(scheduleFaults(7, 60_000, faultKinds));
    expect(scheduleFaults(7, 60_000, faultKinds)).not.toEqual(scheduleFaults(8, 60_000, faultKinds));
  });

  it('of a longer run begins like that of a shorter one, so that a violation can be repeated sooner', () => {
    const short = scheduleFaults(7, 20_000, faultKinds);
    expect(scheduleFaults(7, 60_000, faultKinds).slice(0, short.length)).toEqual(short);
  });

  it('holds every kind within the time of CI', () => {
    for (let seed = 0; seed < 50; seed++) {
      const kinds = new Set(scheduleFaults(seed, 30_000, faultKinds).map(({ kind }) => kind));
      expect([...faultKinds].filter((kind) => !kinds.has(kind))).toEqual([]);
    }
  });

  it('holds only the kinds that were asked for', () => {
    const kinds = new Set(scheduleFaults(7, 60_000, ['bus-killed', 'redis-stopped']).map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['bus-killed', 'redis-stopped']));
    expect(scheduleFaults(7, 60_000, [])).toEqual([]);
  });
});
