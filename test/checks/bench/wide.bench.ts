import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { CacheProcess } from '../../support/cache/cache-process-pool.js';
import type { WatchedReads } from '../../support/processes/cache-process.messages.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import { Samples } from './statistics.js';

const PROCESSES = 4;
const DEPENDANTS = 100_000;
const KEY = 'k';
const LIMITS = { ackMs: 5, heldMs: 2, redisMs: 5, freedSeconds: 10 };
/** How long to wait for the memory to be freed. */
const FREED_MS_MAX = 30_000;
const REST_MS = 500;

/** Invalidates a record on which very many entries in the L1s of four processes depend, while all of them read. */
export async function benchWide({ isQuick }: BenchEffort): Promise<BenchTable> {
  const server = await startRedisServer();
  const admin = new Redis(server.url);
  const options = { appName: 'bench-wide', l1: { maxEntries: 2 * DEPENDANTS, maxBytes: 2 ** 30 } } as const;
  const start = () => CacheProcess.startWith(server.url, {}, options);
  const processes = await Promise.all(Array.from({ length: PROCESSES }, start));
  const samples = new Samples();
  try {
    await admin.config('SET', 'slowlog-log-slower-than', '200');
    for (let round = 1; round <= (isQuick ? 2 : 7); round++) {
      for (const [what, numbers] of await invalidateOnce(processes, admin, round)) samples.add(what, ...numbers);
    }
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
    admin.disconnect();
    await server.stop();
  }
  return table(samples);
}

type Outcome = readonly (readonly [what: string, numbers: readonly number[]])[];

async function invalidateOnce(processes: readonly CacheProcess[], admin: Redis, round: number): Promise<Outcome> {
  const each = <T>(operation: 'entries' | 'watched') =>
    Promise.all(processes.map((process) => process.call({ operation, key: KEY }) as Promise<T>));
  const watch = () =>
    Promise.all(
      processes.map((process) => process.call({ operation: 'watch', key: KEY, count: DEPENDANTS, old: round })),
    );
  await admin.set(`source:${KEY}`, round);
  for (const process of processes) {
    while ((await process.call({ operation: 'fill', key: KEY, count: DEPENDANTS })) !== DEPENDANTS) await delay(5);
  }
  await delay(REST_MS); // for the garbage of the filling
  await watch();
  await delay(REST_MS);
  const atRest = await each<WatchedReads>('watched');

  await admin.set(`source:${KEY}`, round + 1);
  await admin.slowlog('RESET');
  await watch();
  const [first] = processes as [CacheProcess];
  const told = (await first.call({ operation: 'invalidate', key: KEY })) as { at: number; ms: number };
  const begin = performance.now();
  await delay(REST_MS);
  const during = await each<WatchedReads>('watched');
  let freedSeconds = Infinity;
  while (freedSeconds === Infinity && performance.now() - begin < FREED_MS_MAX) {
    const most = Math.max(...(await each<number>('entries')));
    if (most < DEPENDANTS / 10) freedSeconds = (performance.now() - begin) / 1000;
    else await delay(20);
  }
  return [
    ['ackMs', [told.ms]],
    ['heldMs', during.map(({ longestTurnMs }) => longestTurnMs)],
    ['restMs', atRest.map(({ longestTurnMs }) => longestTurnMs)],
    ['redisMs', [await slowestCommandMs(admin)]],
    ['freedSeconds', [freedSeconds]],
    ['stale', during.map(({ lastOldReadAt = 0 }) => (lastOldReadAt > told.at ? 1 : 0))],
    ['reads', during.map(({ reads }) => reads)],
  ];
}

/** The longest command in Redis' slow log, which measures its execution alone, without the time for which it waited. */
async function slowestCommandMs(admin: Redis): Promise<number> {
  const log = (await admin.slowlog('GET', 128)) as [number, number, number][];
  return Math.max(0, ...log.map(([, , micros]) => micros / 1000));
}

function table(samples: Samples): BenchTable {
  const ms = (number: number) => `${number.toFixed(1)} ms`;
  const seconds = (number: number) => (number === Infinity ? 'kept' : `${number.toFixed(1)} s`);
  const worst = (what: string) => Math.max(...samples.of(what));
  const stale = samples.of('stale').reduce((sum, number) => sum + number, 0);
  const rows: [title: string, what: keyof typeof LIMITS | 'restMs', show: (number: number) => string][] = [
    ['acknowledged', 'ackMs', ms],
    ['event loop held', 'heldMs', ms],
    ['event loop held at rest', 'restMs', ms],
    ['slowest command of Redis', 'redisMs', ms],
    ['memory of the L1s back', 'freedSeconds', seconds],
  ];
  const count = DEPENDANTS.toLocaleString('en');
  const targets = rows.flatMap(([title, what, show]): Target[] => {
    if (what === 'restMs') return [];
    const measured = samples.median(what);
    const name = `invalidation of ${count} dependants in ${PROCESSES} L1s: ${title}`;
    return [
      { what: name, target: `≤ ${show(LIMITS[what])}`, measured: show(measured), isMet: measured <= LIMITS[what] },
    ];
  });
  return {
    title: `Invalidation of a record with ${count} dependants in the L1s of ${PROCESSES} processes`,
    intro:
      `All processes read an entry at random every millisecond. Until one of them is told that its invalidation is done; the longest ` +
      `time for which an event loop was held in the ${REST_MS} ms after it began, with what the system took away (and the same ` +
      'before it); the slowest command by Redis’s slow log; when nine tenths of the entries have left every L1.',
    header: ['', 'median', 'worst'],
    rows: [
      ...rows.map(([title, what, show]) => [title, show(samples.median(what)), show(worst(what))]),
      ['processes that read an old value after it', '', String(stale)],
      ['reads of a process', samples.median('reads').toFixed(0), ''],
    ],
    notes: [],
    targets: [
      ...targets,
      {
        what: `invalidation of ${count} dependants in ${PROCESSES} L1s: old values read after it`,
        target: '0',
        measured: String(stale),
        isMet: stale === 0,
      },
    ],
  };
}
