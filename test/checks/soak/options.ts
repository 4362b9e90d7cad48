import { parseArgs } from 'node:util';
import { numberOption, oneOfOption, secondsGiven, someOfOption } from '../command-line.js';
import type { Transport } from './deployment/deployment.js';
import { faultKinds, type FaultKind } from './faults/fault-schedule.js';

/** The options of a soak. The seed decides faults and load, but not how they interleave. */
export interface SoakOptions {
  readonly seed: number;
  /** How long load and faults run, over all transports together. */
  readonly seconds: number;
  readonly transports: readonly Transport[];
  readonly bffs: number;
  readonly workers: number;
  readonly faults: readonly FaultKind[];
  /** The reconciler's period in phases of losses; in other phases it is off. */
  readonly reconcileSeconds: number;
  /** Whether there are phases in which events are lost on purpose. */
  readonly losses: boolean;
  /**
   * Whether events are also lost that a later event of the same record covers, so that the time stamp of the row does
   * not reveal them.
   */
  readonly coveredLosses: boolean;
  /** While nothing is disturbed, no read may return a value that was replaced longer ago than this. */
  readonly boundMs: number;
  /** Number of kills; above 0, takeovers run instead of a soak. */
  readonly kills: number;
  readonly measureLatency: boolean;
  readonly prove: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

const TRANSPORTS: Readonly<Record<'both' | Transport, readonly Transport[]>> = {
  both: ['pubsub', 'cometd'],
  pubsub: ['pubsub'],
  cometd: ['cometd'],
};

export const USAGE = `npm run check:change-events -- [options]
  --seconds=N | --minutes=N   how long load and faults run, all transports together (10 minutes)
  --transport=pubsub|cometd|both   (both)
  --seed=N                    the seed of an earlier run, to repeat it (random)
  --bffs=N --workers=N        processes (2 and 2)
  --faults=KIND,KIND|none     only these faults (all): ${faultKinds.join(', ')}
  --no-losses                 no phases in which events are lost on purpose
  --covered-losses            lose events too that a later event of the same record hides from the reconciler
  --reconcile-seconds=N       the reconciler's period in those phases (10; shorter in short runs)
  --bound-ms=N                how old a read may be while nothing is disturbed (3000)
  --kills=N                   instead: so many SIGKILLs of the active worker under load, each takeover measured
  --measure-latency           instead: from a change's acknowledgement to "unservable in every BFF", at 200 changes a second
  --prove                     instead: plant faults that have to be found
  --json                      the result as JSON on standard output, the rest on standard error`;

/** The options of the command line. Throws with a reason for an unknown option or value. */
export function readOptions(args: readonly string[]): SoakOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: text,
      seconds: text,
      transport: text,
      seed: text,
      bffs: text,
      workers: text,
      faults: text,
      'no-losses': flag,
      'covered-losses': flag,
      'reconcile-seconds': text,
      'bound-ms': text,
      kills: text,
      'measure-latency': flag,
      prove: flag,
      json: flag,
      help: flag,
    },
  });
  const seconds = numberOption('seconds', secondsGiven(values), values['measure-latency'] ? 30 : 600, 1, 24 * 3600);
  return {
    seed: numberOption('seed', values.seed, Date.now() % 1_000_000, 0, 2 ** 31),
    seconds,
    transports: TRANSPORTS[oneOfOption('transport', values.transport ?? 'both', ['both', 'pubsub', 'cometd'])],
    bffs: numberOption('bffs', values.bffs, 2, 1, 16),
    workers: numberOption('workers', values.workers, 2, 1, 16),
    faults: someOfOption('faults', values.faults, faultKinds),
    reconcileSeconds: numberOption('reconcile-seconds', values['reconcile-seconds'], seconds < 60 ? 3 : 10, 1, 3600),
    losses: !values['no-losses'],
    coveredLosses: values['covered-losses'],
    boundMs: numberOption('bound-ms', values['bound-ms'], 3_000, 100, 600_000),
    kills: numberOption('kills', values.kills, 0, 0, 100_000),
    measureLatency: values['measure-latency'],
    prove: values.prove,
    json: values.json,
    help: values.help,
  };
}

/** The command that repeats a run. */
export function replayCommand(options: SoakOptions): string {
  const { seed, seconds, transports, bffs, workers, faults, losses, reconcileSeconds, boundMs, kills } = options;
  const args = [
    `--seed=${seed}`,
    ...(kills > 0 ? [`--kills=${kills}`] : [`--seconds=${seconds}`]),
    `--transport=${transports.length > 1 ? 'both' : transports[0]}`,
    ...(bffs === 2 ? [] : [`--bffs=${bffs}`]),
    ...(workers === 2 ? [] : [`--workers=${workers}`]),
    ...(faults === faultKinds ? [] : [`--faults=${faults.join(',') || 'none'}`]),
    ...(losses ? [`--reconcile-seconds=${reconcileSeconds}`] : ['--no-losses']),
    ...(options.coveredLosses ? ['--covered-losses'] : []),
    ...(boundMs === 3_000 ? [] : [`--bound-ms=${boundMs}`]),
    ...(options.measureLatency ? ['--measure-latency'] : []),
    ...(options.prove ? ['--prove'] : []),
  ];
  return `npm run check:change-events -- ${args.join(' ')}`;
}
