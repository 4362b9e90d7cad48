import { LRUCache } from 'lru-cache';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import type { BenchCache, Contender } from './contender.js';
import { evergreenFull } from './evergreen.js';
import { COLUMNS, drawnFrom, hitsPerSecond, KEYS } from './hit-rounds.js';
import { Lineup } from './lineup.js';
import { Samples } from './statistics.js';

const FLOOR = 'awaited lru-cache get';
/** Least ratio of our hits a second to those of the floor, by column: the figures of the best peer. */
const RATIO_MIN = [0.62, 0.69];

interface Measured {
  readonly lineup: Lineup<BenchCache>;
  readonly rates: Samples;
}

/** A hit in the process, beside a `get` of lru-cache that is awaited like any read-through call. */
export async function benchL1Hit(
  redisUrl: string,
  contenders: readonly Contender[],
  { isQuick }: BenchEffort,
): Promise<BenchTable> {
  const rounds = isQuick ? 15 : 45;
  const all = await measure(redisUrl, contenders, rounds);
  // This is measured afterwards, because its hits take another path through the same code, which could slow the others.
  const full = await measure(redisUrl, [evergreenFull(KEYS)], rounds);
  return table(all, full);
}

async function measure(redisUrl: string, contenders: readonly Contender[], rounds: number): Promise<Measured> {
  const lru = new LRUCache<string, object>({ max: KEYS * 2 });
  const lineup = await Lineup.open<BenchCache>(
    'l1-hit',
    contenders,
    (contender) => contender.open({ redisUrl, mode: 'l1' }),
    (cache) => cache.close(),
  );
  const value = (i: number) => ({ id: i, text: 'v'.repeat(180) });
  const keys = Array.from({ length: KEYS }, (_, i) => `hit:${i}`);
  keys.forEach((key, i) => lru.set(key, value(i)));
  await lineup.round(0, async ({ opened }) => {
    for (const [i, key] of keys.entries()) await opened.getOrSet(key, () => Promise.resolve(value(i)));
  });
  const rates = new Samples();
  const refuse = () => Promise.reject(new Error('a hit was expected'));
  for (const column of COLUMNS) {
    const keyOf = drawnFrom(column, keys);
    for (let round = -1; round < rounds; round++) {
      const keep = (name: string, rate: number) => round >= 0 && rates.add(`${name} ${column}`, rate);
      keep(FLOOR, await hitsPerSecond(async (i) => lru.get(keyOf(i))));
      await lineup.round(round + 1, async ({ name, opened }) => {
        keep(name, await hitsPerSecond((i) => opened.getOrSet(keyOf(i), refuse)));
      });
    }
  }
  await lineup.close();
  return { lineup, rates };
}

function table(all: Measured, full: Measured): BenchTable {
  const { lineup, rates } = all;
  const rowsOf = (measured: Measured) =>
    measured.lineup.rows(COLUMNS.length, (name) =>
      COLUMNS.map((c) => measured.rates.ratio(`${name} ${c}`, `${FLOOR} ${c}`).toFixed(3)),
    );
  return {
    title: 'Hit in the process (L1), beside peers',
    intro:
      'The plainest call of each cache, `getOrSet(key, fetch)` of Evergreen without options, one call after the other. The ' +
      'floor in hits a second; the others as a part of the floor in the same round.',
    header: ['', ...COLUMNS],
    rows: [
      [FLOOR, ...COLUMNS.map((c) => `${Math.round(rates.median(`${FLOOR} ${c}`)).toLocaleString('en')}/s`)],
      ...rowsOf(all),
      ...rowsOf(full),
    ],
    notes: lineup.notes(),
    targets: COLUMNS.map((column, i): Target => {
      const ratio = rates.ratio(`Evergreen ${column}`, `${FLOOR} ${column}`);
      const least = RATIO_MIN[i] as number;
      return {
        what: `L1 hit, ${column}, of the floor`,
        target: `≥ ${least.toFixed(2)}`,
        measured: ratio.toFixed(2),
        isMet: ratio >= least,
      };
    }),
  };
}
