import { Redis } from 'ioredis';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { BenchCache } from '../contender.js';
import { contenderNamed } from '../contenders.js';
import {
  monotonicMs,
  type BenchOrder,
  type PingReport,
  type StampedeReport,
  type WatchReport,
} from './bench-process.messages.js';

/** A process of the benchmark: it holds a cache of each contender and carries out its parent's orders. */

/**
 * How many reads, and how many milliseconds of other work, fill one turn of the event loop of a process that serves.
 */
const READS_A_TURN = 5;
const WORK_MS = 1;
const caches = new Map<string, BenchCache>();
let source: Redis | undefined;
let isWatching = false;
let watching: Promise<WatchReport> | undefined;
let pinging: Promise<PingReport> | undefined;
let isPinging = false;
let lastHeardAt = 0;

async function obey(order: BenchOrder): Promise<unknown> {
  switch (order.kind) {
    case 'open':
      source ??= new Redis(order.redisUrl);
      caches.set(order.contender, await contenderNamed(order.contender).open(order));
      return undefined;
    case 'stampede':
      return stampede(order);
    case 'watch':
      return startWatching(order);
    case 'watched':
      isWatching = false;
      return watching;
    case 'ping': {
      const redis = new Redis(order.redisUrl);
      await redis.ping(); // connects before the measurement begins
      isPinging = true;
      pinging = ping(redis);
      return undefined;
    }
    case 'pinged':
      isPinging = false;
      return pinging;
    case 'listen': {
      const redis = new Redis(order.redisUrl);
      redis.on('message', () => (lastHeardAt = monotonicMs()));
      return redis.subscribe(order.channel);
    }
    case 'heard':
      return lastHeardAt;
  }
}

function cacheOf(contender: string): BenchCache {
  const cache = caches.get(contender);
  if (!cache) throw new Error(`${contender} has not been opened`);
  return cache;
}

async function stampede(order: BenchOrder & { kind: 'stampede' }): Promise<StampedeReport> {
  let fetches = 0;
  const fetch = async () => {
    fetches++;
    await delay(order.fetchMs);
    return { answer: 42 };
  };
  let shared: Promise<unknown> | undefined;
  const call =
    order.contender === 'floor'
      ? () => (shared ??= fetch())
      : () => cacheOf(order.contender).getOrSet(order.key, fetch);
  await delay(Math.max(0, order.startAt - monotonicMs()));
  const begin = performance.now();
  const wait = async () => {
    await call();
    return performance.now() - begin;
  };
  return { waits: await Promise.all(Array.from({ length: order.callers }, wait)), fetches };
}

/**
 * Resolves when the first read has been answered. After that, reads and works in turn until `watched`. The source is a
 * number in Redis.
 */
async function startWatching({ contender, key, old }: BenchOrder & { kind: 'watch' }): Promise<void> {
  const fetch = async () => Number(await source?.get(`source:${key}`));
  const read = contender === 'floor' ? () => Promise.resolve(0) : () => cacheOf(contender).getOrSet(key, fetch);
  await read();
  isWatching = true;
  watching = (async () => {
    let lastOldReadAt: number | undefined;
    let reads = 0;
    while (isWatching) {
      for (let i = 0; i < READS_A_TURN; i++) {
        const at = monotonicMs();
        if ((await read()) === old) lastOldReadAt = at;
        reads++;
        work(WORK_MS / READS_A_TURN);
      }
      await nextTurn(); // answers from L1 alone would never let bus messages in
    }
    return { lastOldReadAt, reads };
  })();
  watching.catch(() => undefined); // `watched` reports it
}

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function ping(redis: Redis): Promise<PingReport> {
  let longestMs = 0;
  while (isPinging) {
    const begin = performance.now();
    await redis.ping();
    longestMs = Math.max(longestMs, performance.now() - begin);
  }
  redis.disconnect();
  return { longestMs };
}

process.on('message', ({ id, order }: { id: number; order: BenchOrder }) => {
  obey(order).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
// An uncaught error of a peer must not end the measurements of the others.
process.on('uncaughtException', (error) => process.stderr.write(`a contender threw: ${String(error)}\n`));
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0 });
