import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchEffort, BenchTable } from './bench-table.js';
import { BenchProcess } from './bench-process.js';
import type { BenchCache, Contender } from './contender.js';
import { Lineup } from './lineup.js';
import { monotonicMs, type WatchReport } from './processes/bench-process.messages.js';
import { Samples } from './statistics.js';

const IDLE_FLOOR = 'bare pub/sub, B idle';
const FLOOR = 'bare pub/sub, B at work';
const CHANNEL = 'bench-floor';
/** How long the other process keeps reading after the acknowledgement: far longer than a working bus takes. */
const AFTERMATH_MS = 60;

/**
 * This process (A) invalidates while another (B) reads: how long A waits, and whether B serves the old value after A's
 * call has resolved.
 */
export async function benchCrossProcess(
  redisUrl: string,
  contenders: readonly Contender[],
  { isQuick }: BenchEffort,
): Promise<BenchTable> {
  const source = new Redis(redisUrl);
  const reader = await BenchProcess.start();
  const samples = new Samples();
  const lineup = await Lineup.open<BenchCache>(
    'cross-process',
    contenders,
    async (contender) => {
      await reader.order({ kind: 'open', contender: contender.name, redisUrl, mode: 'tiered' });
      return contender.open({ redisUrl, mode: 'tiered' });
    },
    (cache) => cache.close(),
  );
  try {
    await reader.order({ kind: 'listen', redisUrl, channel: CHANNEL });
    await delay(200); // for the peers' subscriptions, which do not report when they are ready
    for (let round = -3; round < (isQuick ? 25 : 80); round++) {
      const floors = [await pubSubMs(source, reader, false), await pubSubMs(source, reader, true)] as const;
      if (round >= 0) {
        samples.add(`ack ${IDLE_FLOOR}`, floors[0]);
        samples.add(`ack ${FLOOR}`, floors[1]);
      }
      await lineup.round(round + 3, async ({ name, opened }) => {
        const outcome = await invalidateOnce(source, reader, name, opened, round);
        if (round < 0) return; // the first rounds warm up
        samples.add(`ack ${name}`, outcome.ackMs);
        samples.add(`stale ${name}`, outcome.staleMs);
        samples.add(`reads ${name}`, outcome.reads);
      });
    }
    await lineup.close();
  } finally {
    await reader.stop();
    source.disconnect();
  }
  return table(lineup, samples);
}

/**
 * Milliseconds from before a message is published until B has received it. B is idle, or reads and works as in the
 * other rounds.
 */
async function pubSubMs(source: Redis, reader: BenchProcess, isAtWork: boolean): Promise<number> {
  if (isAtWork) await reader.order({ kind: 'watch', contender: 'floor', key: 'floor', old: 1 });
  await delay(5);
  const begin = monotonicMs();
  await source.publish(CHANNEL, 'x');
  const deadline = begin + 5000;
  while (monotonicMs() < deadline) {
    await delay(5);
    const heardAt = await reader.order<number>({ kind: 'heard' });
    if (heardAt < begin) continue;
    if (isAtWork) await reader.order({ kind: 'watched' });
    return heardAt - begin;
  }
  throw new Error('a published message did not arrive within 5 s');
}

/** `staleMs`: how long after the acknowledgement the last read with the old value began; 0 if there was none. */
async function invalidateOnce(
  source: Redis,
  reader: BenchProcess,
  contender: string,
  cache: BenchCache,
  round: number,
): Promise<{ ackMs: number; staleMs: number; reads: number }> {
  const key = `crossed:${contender}:${round}`;
  const read = () => cache.getOrSet(key, async () => Number(await source.get(`source:${key}`)));
  await source.set(`source:${key}`, 1);
  await read();
  await reader.order({ kind: 'watch', contender, key, old: 1 });
  await delay(5);
  await source.set(`source:${key}`, 2);
  const begin = monotonicMs();
  await cache.invalidateKey(key);
  const acknowledgedAt = monotonicMs();
  await delay(AFTERMATH_MS);
  const { lastOldReadAt = 0, reads } = await reader.order<WatchReport>({ kind: 'watched' });
  return { ackMs: acknowledgedAt - begin, staleMs: Math.max(0, lastOldReadAt - acknowledgedAt), reads };
}

function table(lineup: Lineup<BenchCache>, samples: Samples): BenchTable {
  const floor = samples.median(`ack ${FLOOR}`);
  const cells = (name: string) => {
    const stale = samples.of(`stale ${name}`);
    const late = stale.filter((ms) => ms > 0).length;
    const longest = Math.max(...stale);
    return [
      `${samples.median(`ack ${name}`).toFixed(2)} ms`,
      `× ${(samples.median(`ack ${name}`) / floor).toFixed(1)}`,
      `${((100 * late) / stale.length).toFixed(0)} %`,
      longest >= AFTERMATH_MS - 5 ? `≥ ${AFTERMATH_MS} ms` : `${longest.toFixed(1)} ms`,
      samples.median(`reads ${name}`).toFixed(0),
    ];
  };
  const times = samples.median('ack Evergreen') / floor;
  const late = samples.of('stale Evergreen').filter((ms) => ms > 0).length;
  return {
    title: 'Invalidation seen by another process',
    intro:
      'A changes the source and invalidates the key; B serves: five reads and a millisecond of other work in each turn of its event loop. How long A waits until it is told that it is ' +
      'done (the floor: until a bare message has reached B), how many rounds saw a read of B that began after that and was answered with the old ' +
      'value, how late the latest such read began, and how many reads B made in a round.',
    header: ['', 'acknowledged', 'of the floor', 'rounds stale after it', 'latest', 'reads a round'],
    rows: [
      [IDLE_FLOOR, `${samples.median(`ack ${IDLE_FLOOR}`).toFixed(2)} ms`],
      [FLOOR, `${floor.toFixed(2)} ms`, '× 1.0'],
      ...lineup.rows(5, cells),
    ],
    notes: lineup.notes(),
    targets: [
      {
        what: 'invalidation acknowledged, of the bare pub/sub latency (B at work)',
        target: '≤ 4.0, no old value after it',
        measured: `${times.toFixed(1)}, ${late} rounds stale`,
        isMet: times <= 4 && late === 0,
      },
    ],
  };
}
