import { parseArgs } from 'node:util';
import { numberOption, oneOfOption, secondsGiven, someOfOption } from '../command-line.js';
import { faultKindsOf, type FaultKind } from './faults/fault-schedule.js';
import { mechanisms, type Mechanism } from './process/without.js';
import type { CheckedMode } from './process/messages.js';
import { topologies, type Topology } from './topology.js';

/** The options of one run. The seed decides the faults and the choices of each process, but not how they interleave. */
export interface CheckOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly topology: Topology;
  readonly mode: CheckedMode;
  /** Reader processes, beside the one worker. */
  readonly readers: number;
  readonly partitions: number;
  readonly faults: readonly FaultKind[];
  readonly without?: Mechanism | undefined;
  /** Whether the run ends at the first violation. */
  readonly untilViolation: boolean;
  /** Whether the history files are kept even if the run finds no violation. */
  readonly keep: boolean;
}

/** The usual number of partitions: three in a Cluster, so that more than one master holds some. */
const PARTITIONS: Readonly<Record<Topology, number>> = { standalone: 1, cluster: 3, sentinel: 1 };
const MODES: readonly CheckedMode[] = ['strict', 'bounded', 'off'];

export const USAGE = `npm run check:consistency -- [options]
  --minutes=N | --seconds=N   how long readers, writers and faults run (10 minutes)
  --seed=N                    the seed of an earlier run, to repeat it (random)
  --topology=standalone|cluster|sentinel   one Redis, or real servers of a Cluster or behind Sentinels (standalone)
  --mode=strict|bounded|off   what the L1s promise (strict)
  --readers=N                 reader processes, beside one worker (4)
  --partitions=N              slices of the key space (1; of a Cluster 3)
  --faults=KIND,KIND|none     only these faults (all of the topology):
${topologies.map((topology) => `      ${topology}: ${faultKindsOf[topology].join(', ')}`).join('\n')}
  --without=MECHANISM         switch something off, to see that it is missed: ${Object.keys(mechanisms).join(', ')}
  --until-violation           end at the first violation
  --keep                      keep the history files
  --prove                     at most 45 s each without what carries the promise in this topology: a violation has to be found each time`;

/** The values of these options that a run has unless the command line sets them. */
export function defaultsOf(topology: Topology): Pick<CheckOptions, 'faults' | 'readers' | 'partitions'> {
  return { faults: faultKindsOf[topology], readers: 4, partitions: PARTITIONS[topology] };
}

/** The options of the command line. Throws with a reason for an unknown option or value. */
export function readOptions(
  args: readonly string[],
): CheckOptions & { readonly prove: boolean; readonly help: boolean } {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: text,
      seconds: text,
      seed: text,
      topology: text,
      mode: text,
      readers: text,
      partitions: text,
      faults: text,
      without: text,
      'until-violation': flag,
      keep: flag,
      prove: flag,
      help: flag,
    },
  });
  const topology = oneOfOption('topology', values.topology ?? 'standalone', topologies);
  const usual = defaultsOf(topology);
  return {
    topology,
    seed: numberOption('seed', values.seed, Date.now() % 1_000_000, 0, 2 ** 31),
    seconds: numberOption('seconds', secondsGiven(values), values.prove ? 45 : 600, 1, 24 * 3600),
    mode: oneOfOption('mode', values.mode ?? 'strict', MODES),
    readers: numberOption('readers', values.readers, usual.readers, 1, 32),
    partitions: numberOption('partitions', values.partitions, usual.partitions, 1, 64),
    faults: someOfOption('faults', values.faults, usual.faults),
    without:
      values.without === undefined
        ? undefined
        : oneOfOption('without', values.without, Object.keys(mechanisms) as Mechanism[]),
    untilViolation: values['until-violation'],
    keep: values.keep,
    prove: values.prove,
    help: values.help,
  };
}

/** The command that repeats a run. */
export function replayCommand(options: CheckOptions): string {
  const { seed, seconds, topology, mode, readers, partitions, faults, without } = options;
  const usual = defaultsOf(topology);
  const always = [`--seed=${seed}`, `--seconds=${seconds}`, `--mode=${mode}`];
  const extra = [
    ...(topology === 'standalone' ? [] : [`--topology=${topology}`]),
    ...(readers === usual.readers ? [] : [`--readers=${readers}`]),
    ...(partitions === usual.partitions ? [] : [`--partitions=${partitions}`]),
    ...(faults === usual.faults ? [] : [`--faults=${faults.join(',') || 'none'}`]),
    ...(without ? [`--without=${without}`] : []),
  ];
  return `npm run check:consistency -- ${[...always, ...extra].join(' ')}`;
}
