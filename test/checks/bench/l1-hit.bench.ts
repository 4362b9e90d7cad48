import { LRUCache } from 'lru-cache';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import type { BenchCache, Contender } from './contender.js';
import { evergreenFull } from './evergreen.js';
import { Lineup } from './lineup.js';
import { Samples } from './statistics.js';

const FLOOR = 'awaited lru-cache get';
const KEYS = 10_000;
const ROUND_MS = 60;
/**
 * The keys of successive calls, with chances in proportion to 1/rank: the skew of popular pages. They are drawn once,
 * the same for all contenders.
 */
const ZIPF = zipf();
const COLUMNS = ['1 key', `${KEYS.toLocaleString('en')} keys, zipf`] as const;

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
  const rounds = isQuick ? 5 : 15;
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
  for (let i = 0; i < KEYS; i++) lru.set(`hit:${i}`, value(i));
  await lineup.round(0, async ({ opened }) => {
    for (let i = 0; i < KEYS; i++) await opened.getOrSet(`hit:${i}`, () => Promise.resolve(value(i)));
  });
  const rates = new Samples();
  const refuse = () => Promise.reject(new Error('a hit was expected'));
  for (const column of COLUMNS) {
    const keyOf = column === '1 key' ? () => 'hit:7' : (i: number) => ZIPF[i % ZIPF.length] as string;
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

/** Checks the clock once per 500 hits, because a check takes longer than a hit. */
async function hitsPerSecond(hit: (i: number) => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < ROUND_MS) {
    for (const end = count + 500; count < end;) await hit(count++);
  }
  return (count / (performance.now() - begin)) * 1000;
}

function zipf(): string[] {
  const weights = Array.from({ length: KEYS }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let seed = 42;
  return Array.from({ length: 1 << 16 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    let rest = (seed / 2_147_483_648) * total;
    let rank = 0;
    while (rank < KEYS - 1 && (rest -= weights[rank] as number) > 0) rank++;
    return `hit:${rank}`;
  });
}

function table(all: Measured, full: Measured): BenchTable {
  const { lineup, rates } = all;
  const rowsOf = (measured: Measured) =>
    measured.lineup.rows(COLUMNS.length, (name) =>
      COLUMNS.map((c) => measured.rates.ratio(`${name} ${c}`, `${FLOOR} ${c}`).toFixed(3)),
    );
  return {
    title: 'Hit in the process (L1)',
    intro: 'One call after the other. The floor in hits a second; the others as a part of the floor in the same round.',
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
