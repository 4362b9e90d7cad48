import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedisServer } from '../../support/redis/redis-server.js';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import { BenchProcess } from './bench-process.js';
import type { BenchCache, Contender } from './contender.js';
import { handWrittenIndex } from './hand-written-index.js';
import { Lineup } from './lineup.js';
import type { PingReport } from './processes/bench-process.messages.js';
import { Samples } from './statistics.js';
import { usedMemory } from './used-memory.js';

const RECORD = 'Product2:01t000000000001AAA';
const LIMITS = { ackMs: 5, stallMs: 5, freedSeconds: 30 };
/** How long to wait for the memory to be freed: beyond the target for Evergreen, briefly for peers that keep it. */
const OURS_MS_MAX = 45_000;
const PEERS_MS_MAX = 2_500;

/** Invalidates one record on which many entries depend. Each measurement has its own Redis, because memory counts. */
export async function benchFanOut(contenders: readonly Contender[], { isQuick }: BenchEffort): Promise<BenchTable[]> {
  const tables: BenchTable[] = [];
  const pinger = await BenchProcess.start();
  try {
    for (const dependants of [1_000, 10_000, 100_000]) {
      const isLarge = dependants === 100_000;
      const entered = isQuick && isLarge ? contenders.slice(0, 1) : [handWrittenIndex, ...contenders];
      const rounds = isQuick ? 1 : dependants === 1_000 ? 5 : 3;
      tables.push(await measure(entered, dependants, rounds, pinger));
    }
  } finally {
    await pinger.stop();
  }
  return tables;
}

async function measure(
  contenders: readonly Contender[],
  dependants: number,
  rounds: number,
  pinger: BenchProcess,
): Promise<BenchTable> {
  const samples = new Samples();
  const lineup = await Lineup.open(
    'fan-out',
    contenders,
    (contender) => Promise.resolve(contender),
    () => Promise.resolve(),
  );
  for (let round = 0; round < rounds; round++) {
    await lineup.round(round, async ({ name, opened }) => {
      if (round > 0 && dependants === 100_000 && name !== 'Evergreen') return; // a round takes long
      const outcome = await invalidateOnce(opened, dependants, pinger);
      for (const [what, number] of Object.entries(outcome)) samples.add(`${what} ${name}`, number);
    });
  }
  return table(lineup, samples, dependants);
}

interface FanOut {
  readonly ackMs: number;
  readonly idleStallMs: number;
  readonly stallMs: number;
  readonly scriptMs: number;
  /** Until nine tenths of the memory of the entries were free; Infinity if they were not before the wait ended. */
  readonly freedSeconds: number;
}

async function invalidateOnce(contender: Contender, dependants: number, pinger: BenchProcess): Promise<FanOut> {
  const server = await startRedisServer();
  const admin = new Redis(server.url);
  const cache = await contender.open({ redisUrl: server.url, mode: 'l2', hasDependencies: true });
  try {
    await fill(cache, 1);
    await cache.invalidateDependency(RECORD);
    const empty = await usedMemory(admin);
    await fill(cache, dependants);
    const full = await usedMemory(admin);
    await pinger.order({ kind: 'ping', redisUrl: server.url });
    await delay(500);
    const idle = await pinger.order<PingReport>({ kind: 'pinged' });
    await admin.config('SET', 'slowlog-log-slower-than', '200');
    await admin.slowlog('RESET');
    await pinger.order({ kind: 'ping', redisUrl: server.url });
    const begin = performance.now();
    await cache.invalidateDependency(RECORD);
    const ackMs = performance.now() - begin;
    const enough = empty + (full - empty) / 10;
    const deadline = begin + (contender.name === 'Evergreen' ? OURS_MS_MAX : PEERS_MS_MAX);
    let freedSeconds = Infinity;
    while (freedSeconds === Infinity && performance.now() < deadline) {
      await delay(50);
      if ((await usedMemory(admin)) <= enough) freedSeconds = (performance.now() - begin) / 1000;
    }
    const { longestMs: stallMs } = await pinger.order<PingReport>({ kind: 'pinged' });
    return { ackMs, idleStallMs: idle.longestMs, stallMs, scriptMs: await slowestCommandMs(admin), freedSeconds };
  } finally {
    await cache.close();
    admin.disconnect();
    await server.stop();
  }
}

/** Stores 64 entries at a time, enough to keep Redis busy. */
async function fill(cache: BenchCache, count: number): Promise<void> {
  let next = 0;
  const value = { id: 'x', text: 'v'.repeat(180) };
  const filler = async () => {
    for (let i = next++; i < count; i = next++) await cache.fill(`orders:detail:${i}`, value, [RECORD]);
  };
  await Promise.all(Array.from({ length: 64 }, filler));
}

/** The longest command in Redis' slow log, which measures its execution alone, without the time for which it waited. */
async function slowestCommandMs(admin: Redis): Promise<number> {
  const log = (await admin.slowlog('GET', 128)) as [number, number, number][];
  return Math.max(0, ...log.map(([, , micros]) => micros / 1000));
}

function table(lineup: Lineup<Contender>, samples: Samples, dependants: number): BenchTable {
  const of = (what: keyof FanOut, name: string) => samples.median(`${what} ${name}`);
  const worst = (what: keyof FanOut, name: string) => Math.max(...samples.of(`${what} ${name}`));
  const ms = (number: number) => `${number.toFixed(1)} ms`;
  const freed = (seconds: number) => (seconds === Infinity ? 'kept' : `${seconds.toFixed(1)} s`);
  const cells = (name: string) => [
    ms(of('ackMs', name)),
    ms(of('stallMs', name)),
    ms(of('idleStallMs', name)),
    ms(worst('scriptMs', name)),
    freed(of('freedSeconds', name)),
  ];
  const count = dependants.toLocaleString('en');
  const target = (what: keyof FanOut, title: string, show: (n: number) => string, most: number): Target => ({
    what: `invalidation of ${count} dependants: ${title}`,
    target: `≤ ${show(most)}`,
    measured: show(of(what, 'Evergreen')),
    isMet: of(what, 'Evergreen') <= most,
  });
  const targets = [
    target('ackMs', 'acknowledged', ms, LIMITS.ackMs),
    target('stallMs', 'longest stall of Redis', ms, LIMITS.stallMs),
    target('freedSeconds', 'memory back', freed, LIMITS.freedSeconds),
  ];
  return {
    title: `Invalidation of a record with ${count} dependants`,
    intro:
      'Until it is acknowledged; the longest round trip of a `PING` on another process’s connection from then until the ' +
      'memory is back (and the same in half a second of rest: the machine’s own noise); the slowest command by Redis’s slow log; when ' +
      '90 % of the memory is back. Medians.',
    header: ['', 'acknowledged', 'longest PING', 'PING at rest', 'slowest command', 'memory back'],
    rows: lineup.rows(5, cells),
    notes: lineup.notes(),
    targets: dependants === 100_000 ? targets : [],
  };
}
