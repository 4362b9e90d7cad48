import { parseArgs } from 'node:util';
import { someOfOption } from '../command-line.js';

/** The names of all measurements, in the order in which they are run. */
export const scenarioNames = [
  'hits',
  'l1-hit',
  'l2-hit',
  'many',
  'one-process',
  'four-processes',
  'cross-process',
  'cluster',
  'fan-out',
  'wide',
  'memory',
  'change-events',
  'fairness',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface BenchOptions {
  /** Whether the run is short: about two minutes, with fewer rounds. */
  readonly isQuick: boolean;
  /** Whether other caches are measured, too. */
  readonly withPeers: boolean;
  /** Whether `docs/benchmarks.md` is written. */
  readonly write: boolean;
  readonly only: readonly ScenarioName[];
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]
  --quick           about two minutes, with fewer rounds
  --no-peers        Evergreen and the floors only
  --only=NAME,NAME  only these measurements (all): ${scenarioNames.join(', ')}
  --write           also write docs/benchmarks.md
  --comparison      alone, and instead: what Evergreen and two peers do, the tables of docs/comparison.md`;

/** The options of the command line. Throws with a reason for an unknown option or value. */
export function readOptions(args: readonly string[]): BenchOptions {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { quick: flag, 'no-peers': flag, only: { type: 'string' }, write: flag, help: flag },
  });
  return {
    isQuick: values.quick,
    withPeers: !values['no-peers'],
    write: values.write,
    only: someOfOption('only', values.only, scenarioNames),
    help: values.help,
  };
}
