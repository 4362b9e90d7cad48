import type { FaultKind } from './faults/fault-schedule.js';
import { defaultsOf, type CheckOptions } from './options.js';
import type { Mechanism } from './process/without.js';
import type { Topology } from './topology.js';

/** Options that find the violation soon; all others are as usual. */
type Setting = Partial<Pick<CheckOptions, 'faults' | 'readers' | 'partitions'>>;

const only = (...faults: FaultKind[]): Setting => ({ faults });
/** With one partition each move of a slot hits all entries, and with two readers few processes have to start. */
const moving = (...faults: FaultKind[]): Setting => ({ faults, readers: 2, partitions: 1 });

/** The mechanisms that carry the promise in each topology, with the options of the runs without them. */
const PROVEN: Readonly<Record<Topology, readonly (readonly [Mechanism, Setting])[]>> = {
  standalone: [
    ['fence', {}],
    ['ack-wait', {}],
    ['gap-check', {}],
    ['dead-check', only()],
    ['rebuild-announcement', only()],
    ['history-check', only('redis-swapped', 'redis-reloaded-older')],
  ],
  cluster: [
    ['rebuild-announcement', only()],
    ['slot-check', moving('slot-move-given-up')],
    ['gate-spoiling', moving('slot-move-given-up')],
    ['server-check', moving('slot-handed-over')],
    ['move-checks', moving('slot-moved')],
  ],
  sentinel: [
    ['older-data-checks', only('replica-promoted')],
    ['vouch', only('split')],
  ],
};

/**
 * The runs that must find a violation: one for the named mechanism, or one for each mechanism of the topology. Options
 * of the command line take precedence.
 */
export function proofRuns(base: CheckOptions): readonly (CheckOptions & { readonly without: Mechanism })[] {
  const known = PROVEN[base.topology];
  const named = base.without;
  const proofs = named ? [known.find(([without]) => without === named) ?? ([named, {}] as const)] : known;
  return proofs.map(([without, setting]) => ({ ...base, ...unchosen(setting, base), without, untilViolation: true }));
}

function unchosen({ faults, readers, partitions }: Setting, base: CheckOptions): Setting {
  const usual = defaultsOf(base.topology);
  return {
    ...(faults && base.faults === usual.faults && { faults }),
    ...(readers !== undefined && base.readers === usual.readers && { readers }),
    ...(partitions !== undefined && base.partitions === usual.partitions && { partitions }),
  };
}
