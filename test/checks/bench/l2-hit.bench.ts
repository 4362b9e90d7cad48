import { Redis } from 'ioredis';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import type { BenchCache, Contender } from './contender.js';
import { Lineup } from './lineup.js';
import { Samples, throughput } from './statistics.js';

const KEYS = 1000;
const FLOOR = 'bare GET + JSON.parse';
const COLUMNS = [200, 10_240].flatMap((bytes) => [1, 16, 256].map((concurrency) => ({ bytes, concurrency })));
/** Least ratio of our hits a second to those of the floor, by the size of the value. */
const RATIO_MIN = new Map([
  [200, 0.85],
  [10_240, 0.92],
]);

/** A read-through hit in Redis, beside its natural limit: a bare `GET` and `JSON.parse`. */
export async function benchL2Hit(
  redisUrl: string,
  contenders: readonly Contender[],
  { isQuick }: BenchEffort,
): Promise<BenchTable> {
  const redis = new Redis(redisUrl);
  const lineup = await Lineup.open<BenchCache>(
    'l2-hit',
    contenders,
    (contender) => contender.open({ redisUrl, mode: 'l2' }),
    (cache) => cache.close(),
  );
  const rates = new Samples();
  for (const bytes of [200, 10_240]) await prepare(redis, lineup, bytes);
  for (const { bytes, concurrency } of COLUMNS) {
    const keyOf = (i: number) => `hit:${bytes}:${(i * 7919) % KEYS}`;
    const floor = async (i: number) => JSON.parse((await redis.get(`bare:${keyOf(i)}`)) as string) as unknown;
    const column = columnName(bytes, concurrency);
    const ms = isQuick ? 60 : 150;
    for (let round = -1; round < (isQuick ? 5 : 11); round++) {
      const keep = (name: string, rate: number) => round >= 0 && rates.add(`${name} ${column}`, rate); // the first warms up
      keep(FLOOR, await throughput(concurrency, ms, floor));
      await lineup.round(round + 1, async ({ name, opened }) => {
        keep(name, await throughput(concurrency, ms, (i) => opened.getOrSet(keyOf(i), refuse)));
      });
    }
  }
  await lineup.close();
  redis.disconnect();
  return table(lineup, rates);
}

async function prepare(redis: Redis, lineup: Lineup<BenchCache>, bytes: number): Promise<void> {
  const value = { id: 'x', text: 'v'.repeat(bytes - 20) };
  for (let i = 0; i < KEYS; i++) await redis.set(`bare:hit:${bytes}:${i}`, JSON.stringify(value));
  await lineup.round(0, async ({ opened }) => {
    for (let i = 0; i < KEYS; i++) await opened.getOrSet(`hit:${bytes}:${i}`, () => Promise.resolve(value));
  });
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('a hit was expected'));
}

function columnName(bytes: number, concurrency: number): string {
  return `${bytes} B × ${concurrency}`;
}

function table(lineup: Lineup<BenchCache>, rates: Samples): BenchTable {
  const columns = COLUMNS.map(({ bytes, concurrency }) => columnName(bytes, concurrency));
  const cells = (name: string) => columns.map((c) => rates.ratio(`${name} ${c}`, `${FLOOR} ${c}`).toFixed(2));
  const targets = COLUMNS.map(({ bytes, concurrency }): Target => {
    const column = columnName(bytes, concurrency);
    const ratio = rates.ratio(`Evergreen ${column}`, `${FLOOR} ${column}`);
    const least = RATIO_MIN.get(bytes) as number;
    return {
      what: `L2 hit, ${bytes} B, ${concurrency} at a time, of the floor`,
      target: `≥ ${least.toFixed(2)}`,
      measured: ratio.toFixed(2),
      isMet: ratio >= least,
    };
  });
  return {
    title: 'Hit in Redis',
    intro:
      'Bytes of the value × calls at a time, one connection, 1,000 keys. The floor in hits a second; the others as a part ' +
      'of the floor in the same round (1.00 is as fast), median over the rounds.',
    header: ['', ...columns],
    rows: [
      [FLOOR, ...columns.map((c) => `${Math.round(rates.median(`${FLOOR} ${c}`)).toLocaleString('en')}/s`)],
      ...lineup.rows(columns.length, cells),
    ],
    notes: lineup.notes(),
    targets,
  };
}
