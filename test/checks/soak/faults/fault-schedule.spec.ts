import { describe, expect, it } from '@jest/globals';
import { CYCLE_MS, faultKinds, scheduleFaults } from './fault-schedule.js';

describe('the schedule of faults', () => {
  it('follows from the seed alone', () => {
    expect(scheduleFaults(7, 60_000, faultKinds)).toEqual(scheduleFaults(7, 60_000, faultKinds));
    expect(scheduleFaults(7, 60_000, faultKinds)).not.toEqual(scheduleFaults(8, 60_000, faultKinds));
  });

  it('of a longer phase begins like that of a shorter one', () => {
    const short = scheduleFaults(7, 20_000, faultKinds);
    expect(scheduleFaults(7, 60_000, faultKinds).slice(0, short.length)).toEqual(short);
  });

  it('has every kind before any comes again', () => {
    const kinds = scheduleFaults(7, 300_000, faultKinds).map(({ kind }) => kind);
    expect(new Set(kinds.slice(0, faultKinds.length)).size).toBe(faultKinds.length);
  });

  it('leaves a calm at the end of each cycle', () => {
    const late = scheduleFaults(7, 300_000, faultKinds).filter(({ at }) => at % CYCLE_MS > 0.6 * CYCLE_MS);
    expect(late).toEqual([]);
  });

  it('holds only the kinds that were asked for', () => {
    expect(new Set(scheduleFaults(7, 60_000, ['gap', 'burst']).map(({ kind }) => kind))).toEqual(
      new Set(['gap', 'burst']),
    );
    expect(scheduleFaults(7, 60_000, [])).toEqual([]);
  });
});
