import { composeCache } from '@bff/infra/cache/create-cache';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { busSubscribers } from '../../../support/redis/bus-subscribers.js';
import { seededRandom } from '../../../support/cache/coherence-oracle.js';
import { RunClock } from '../history/clock.js';
import { keys } from '../source/universe.js';
import { VersionedSource } from '../source/versioned-source.js';
import { CheckedFetcher } from './workers/fetcher.js';
import { HistoryWriter } from './history-writer.js';
import { LossyNetwork } from './lossy-network.js';
import type { Order, ProcessConfig, Report } from './messages.js';
import { ObservedStore } from './observed-store.js';
import { CheckedReader } from './workers/reader.js';
import { recovered } from './recovery.js';
import { sweepSoon, switchOff } from './without.js';
import { CheckedWriter } from './workers/writer.js';

/**
 * A process of the checker: a cache as an application composes it, callers that read, and callers that change the
 * source and invalidate. A reader mostly reads; the worker mostly invalidates.
 */
const LANES = { reader: { reading: 20, writing: 3, pauseMs: 500 }, worker: { reading: 2, writing: 60, pauseMs: 700 } };
/** The lease of a build: shorter than the product's, so a killed builder delays the others only briefly. */
const LEASE_MS = 1000;
const WAIT_MS = 10_000;
const READ_AT_ONCE = 20;
/** For processes of an odd slot: their L1 has room for half of the keys, so that it evicts entries too. */
const SMALL_L1 = { maxEntries: Math.floor(keys.length / 2) };

const config = JSON.parse(process.argv[2] ?? '') as ProcessConfig;
const { by, slot, role, mode, partitions, appName } = config;
const clock = new RunClock(BigInt(config.origin));
const random = (purpose: number) => seededRandom(config.seed * 1009 + by * 101 + purpose);
const history = new HistoryWriter(config.historyFolder, by, clock);
const store = new ObservedStore(history, clock);
const source = new VersionedSource(config.sourceUrl);
const redis = createRedisClient(config.redis);
if (config.without) switchOff(config.without, redis);
if (slot % 4 >= 2) sweepSoon(); // its keys are too few for sweeps as the product makes them
store.observe();
const l1 = { mode, shouldFreeze: true, ...(slot % 2 === 1 && SMALL_L1) };
const cache = composeCache({ redis, appName, partitions, l1, leaseMs: LEASE_MS, waitMs: WAIT_MS }, async () =>
  redis.disconnect(),
);
const network = new LossyNetwork(redis, () => busSubscribers(cache), random(99));
const fetcher = new CheckedFetcher(by, source, clock, random(0));
const reader = new CheckedReader(cache, fetcher, { by, store, history, clock });
const writer = new CheckedWriter(slot, role, cache, source, fetcher, history, clock);

function say(report: Report): void {
  process.send?.(report);
}

/** An unexpected error ends the process, and with it the run. */
function run(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => {
    console.error(error);
    process.exit(70);
  });
}

await cache.open();
const { reading, writing, pauseMs } = LANES[role];
const reads = Array.from({ length: reading }, (_, i) => run(reader.lane(random(1 + i))));
reads.push(run(reader.patrol()), run(reader.rebuilding(random(30))), run(reader.rebuilding(random(31))));
const writes = run(
  writer
    .redeliver()
    .then(() => Promise.all(Array.from({ length: writing }, (_, i) => writer.lane(random(50 + i), pauseMs)))),
);

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'recover':
      return say({ kind: 'recovered', ...(await recovered(cache)) });
    case 'linger':
      return fetcher.linger(order.ms, () => say({ kind: 'fetching' }));
    case 'slow':
      return fetcher.slowDown(order.ms);
    case 'mute':
      return network.mute(order.ms);
    case 'lossy':
      return network.dropSome(order.ms);
    case 'deaf':
      return network.deafen(order.ms);
    case 'rest':
      writer.rest();
      await writes;
      fetcher.calmDown();
      reader.rest();
      await Promise.all(reads);
      history.flush();
      return say({ kind: 'rested' });
    case 'readAll':
      return readAll();
    case 'close':
      await cache.close();
      source.close();
      history.close();
      process.disconnect();
  }
}

/**
 * Reads all keys twice with `getOrSet`, then with `get`. If the first read of a value comes from L2, the next comes
 * from L1.
 */
async function readAll(): Promise<void> {
  const values: string[] = [];
  for (const way of ['getOrSet', 'getOrSet', 'get'] as const) {
    for (let from = 0; from < keys.length; from += READ_AT_ONCE) {
      const some = keys.slice(from, from + READ_AT_ONCE).map((_, i) => reader.value(from + i, way));
      values.push(...(await Promise.all(some)));
    }
  }
  history.flush();
  say({ kind: 'values', values });
}

process.on('message', (order: Order) => void run(obey(order)));
process.on('disconnect', () => process.exit(0));
say({ kind: 'ready' });
