import { faultKindsOf, type FaultKind } from './faults/fault-schedule.js';
import type { CheckOptions } from './options.js';
import type { Mechanism } from './process/without.js';
import type { Topology } from './topology.js';

/** What carries the promise in each topology, and the faults that it is for; none named: all. */
const PROVEN: Readonly<Record<Topology, readonly (readonly [Mechanism, (readonly FaultKind[])?])[]>> = {
  standalone: [
    ['fence'],
    ['ack-wait'],
    ['gap-check'],
    ['rebuild-announcement', []],
    ['history-check', ['redis-swapped', 'redis-reloaded-older']],
  ],
  // That slots move needs more luck than CI has time for: `--without=move-checks`, and the models.
  cluster: [['rebuild-announcement', []]],
  sentinel: [['history-check', ['replica-promoted']]],
};

/** The runs that have to find a violation: one for the mechanism that was named, or one for each of the topology. */
export function proofRuns(base: CheckOptions): readonly (CheckOptions & { readonly without: Mechanism })[] {
  const named = base.without && [[base.without] as const];
  return (named ?? PROVEN[base.topology]).map(([without, needed]) => {
    const isChosen = base.faults !== faultKindsOf[base.topology];
    return { ...base, without, untilViolation: true, faults: isChosen || !needed ? base.faults : needed };
  });
}
