import { section, targetSection, type BenchTable } from './bench-table.js';

export interface BenchRun {
  readonly machine: readonly string[];
  readonly versions: readonly string[];
  readonly isQuick: boolean;
  readonly tables: readonly BenchTable[];
}

/** The page `docs/benchmarks.md` of one run. */
export function benchmarkPage({ machine, versions, isQuick, tables }: BenchRun): string {
  const head = [
    '# Benchmarks',
    'Written by `npm run bench -- --write`; run it to get your own. Peers are installed under `test/checks/bench` for it and are no ' +
      'dependencies of the product.',
    [
      `- ${new Date().toISOString().slice(0, 10)}${isQuick ? ', a quick run' : ''}`,
      ...machine.map((line) => `- ${line}`),
      `- beside ${versions.length > 0 ? versions.join(', ') : 'no peers'}`,
    ].join('\n'),
    'The machine was shared with other work while this ran. Absolute numbers are noisy: two runs differ by a third and more. Rely on ' +
      'ratios, which are taken round by round against the floor of the same run, and on counts.',
  ];
  const targets = tables.flatMap((table) => table.targets);
  return `${[...head, targetSection(targets), ...tables.map(section), LIMITS].join('\n\n')}\n`;
}

const LIMITS = `## What this does not prove

- Nothing about a network: Redis, the callers and the contenders share one machine and its loopback. A real round trip is longer,
  which makes bytes and work in the process matter less, and the number of round trips more.
- Nothing about correctness. A peer that answers faster may do so because it promises less: none of the peers here refuses a fill
  that was overtaken by an invalidation. What we promise is tested elsewhere, not here.
- Nothing about your L1 beyond what the first table shows: buckets whose keys have one part, which the callers hold as texts; 10,000
  entries for each call.
- Nothing about your values and keys: two sizes of JSON, one shape of keys, no contention with other users of Redis.
- Nothing about a long life: every contender starts with an empty Redis, without fragmentation, replicas or persistence.
- Peers run with their defaults, set up as their documentation shows, by people who know their own code better. Where an
  option would help one of them, tell us.
- Fan-out looks at one invalidation at a time, and memory at one number of entries: hash tables grow by doubling, so another number costs
  up to a few dozen bytes an entry more or less.`;
