import { describe, expect, it } from '@jest/globals';
import { topologies } from '../topology.js';
import { faultKindsOf, scheduleFaults, type FaultKind } from './fault-schedule.js';

describe('the schedule of faults', () => {
  const all = faultKindsOf.standalone;
  const timed = (seed: number, forMs: number, kinds: readonly FaultKind[] = all) =>
    scheduleFaults(seed, forMs, kinds, 'standalone').timed;
  const kindsOf = (faults: readonly { readonly kind: FaultKind }[]) => new Set(faults.map(({ kind }) => kind));

  it('follows from the seed alone', () => {
    expect(timed(7, 60_000)).toEqual(timed(7, 60_000));
    expect(timed(7, 60_000)).not.toEqual(timed(8, 60_000));
  });

  it('of a longer run begins like that of a shorter one, so that a violation can be repeated sooner', () => {
    const short = timed(7, 20_000);
    expect(timed(7, 60_000).slice(0, short.length)).toEqual(short);
  });

  it('holds every kind within the time of CI', () => {
    for (let seed = 0; seed < 50; seed++) {
      const kinds = kindsOf(timed(seed, 40_000));
      expect(all.filter((kind) => !kinds.has(kind))).toEqual([]);
    }
  });

  it('holds only the kinds that were asked for', () => {
    expect(kindsOf(timed(7, 60_000, ['bus-killed', 'redis-stopped']))).toEqual(
      new Set(['bus-killed', 'redis-stopped']),
    );
    expect(scheduleFaults(7, 60_000, [], 'cluster')).toEqual({ timed: [], inTurn: undefined });
  });

  it.each(topologies.slice(1))(
    '%s: what is done to several servers comes in turn, every kind before any again',
    (topology) => {
      const { timed, inTurn } = scheduleFaults(7, 60_000, faultKindsOf[topology], topology);
      const others = faultKindsOf[topology].filter((kind) => !kindsOf(timed).has(kind));
      expect(others).toContain('master-killed');
      const drawn = others.map(() => inTurn?.next().value?.kind);
      expect(new Set(drawn)).toEqual(new Set(others));
    },
  );
});
