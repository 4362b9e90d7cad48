import type { BenchEffort, BenchTable } from './bench-table.js';
import type { BenchCache, Contender } from './contender.js';
import { Lineup } from './lineup.js';
import { median, Samples } from './statistics.js';

const CALLERS = 10_000;
const FETCH_MS = 50;
const EXCESS_MS_MAX = 10;
const FLOOR = 'one shared promise';

/** Ten thousand callers of one cold key in one process, beside ten thousand that await a bare shared promise. */
export async function benchSingleFlight(
  redisUrl: string,
  contenders: readonly Contender[],
  { isQuick }: BenchEffort,
): Promise<BenchTable> {
  const lineup = await Lineup.open<BenchCache>(
    'one-process',
    contenders,
    (contender) => contender.open({ redisUrl, mode: 'l2' }),
    (cache) => cache.close(),
  );
  const ms = new Samples();
  const fetches = new Samples();
  for (let round = -1; round < (isQuick ? 5 : 11); round++) {
    const shared = fetch();
    const floor = await timed(() => shared);
    if (round >= 0) ms.add(FLOOR, floor);
    await lineup.round(round + 1, async ({ name, opened }) => {
      let count = 0;
      const took = await timed(() => opened.getOrSet(`cold:${round}`, () => (count++, fetch())));
      if (round < 0) return; // the first warms up
      ms.add(name, took);
      fetches.add(name, count);
    });
  }
  await lineup.close();
  return table(lineup, ms, fetches);
}

function fetch(): Promise<{ answer: number }> {
  return new Promise((resolve) => setTimeout(() => resolve({ answer: 42 }), FETCH_MS));
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, call));
  return performance.now() - begin;
}

function table(lineup: Lineup<BenchCache>, ms: Samples, fetches: Samples): BenchTable {
  const excess = (name: string) => ms.median(name) - FETCH_MS;
  const cells = (name: string) => [
    `+${excess(name).toFixed(1)} ms`,
    `+${(Math.max(...ms.of(name)) - FETCH_MS).toFixed(1)} ms`,
    String(fetches.of(name).length ? Math.max(...fetches.of(name)) : '–'),
  ];
  const isSingle = median(fetches.of('Evergreen')) === 1 && Math.max(...fetches.of('Evergreen')) === 1;
  return {
    title: 'Ten thousand callers of one cold key, one process',
    intro: `A fetch of ${FETCH_MS} ms; the time until the last caller has its answer, beyond the fetch.`,
    header: ['', 'median', 'worst round', 'fetches (worst)'],
    rows: [[FLOOR, ...cells(FLOOR)], ...lineup.rows(3, cells)],
    notes: lineup.notes(),
    targets: [
      {
        what: `${CALLERS.toLocaleString('en')} callers of one cold key`,
        target: `≤ fetch + ${EXCESS_MS_MAX} ms, one fetch`,
        measured: `+${excess('Evergreen').toFixed(1)} ms, ${isSingle ? 'one fetch' : 'more fetches'}`,
        isMet: isSingle && excess('Evergreen') <= EXCESS_MS_MAX,
      },
    ],
  };
}
