import { randomUUID } from 'node:crypto';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import type { BenchEffort, BenchTable } from './bench-table.js';
import { percentile, Samples } from './statistics.js';

const CACHES = 3;
const PARTITIONS = 4;
const RECORDS = 20;
/** Number of rounds that are not counted: they create the gates and open the connections. */
const WARM_UP = 20;
const WITHOUT = 'Evergreen without L1';
const WITH = 'Evergreen, L1 strict';
const TIMES_MAX = 3;

interface Opened {
  readonly cache: CacheService;
  readonly redis: RedisClient;
}

/** The cost of waiting for L1s on a Redis Cluster: the same invalidation with and without L1s, in turn. */
export async function benchClusterAcknowledgement({ isQuick }: BenchEffort): Promise<BenchTable> {
  const cluster = await startRedisCluster({ replicasPerMaster: 0 });
  const samples = new Samples();
  const opened: Opened[] = [];
  try {
    const without = await openCaches(cluster, 'off', opened);
    const withL1 = await openCaches(cluster, 'strict', opened);
    for (let i = -WARM_UP; i < (isQuick ? 100 : 300); i++) {
      const [off, strict] = [await acknowledgementMs(without, i), await acknowledgementMs(withL1, i)];
      if (i < 0) continue;
      samples.add(WITHOUT, off);
      samples.add(WITH, strict);
    }
  } finally {
    await Promise.all(opened.map(close));
    await cluster.stop();
  }
  return table(samples);
}

async function openCaches(cluster: RedisCluster, l1: 'off' | 'strict', opened: Opened[]): Promise<CacheService[]> {
  const appName = `bench-${l1}-${randomUUID().slice(0, 8)}`;
  const caches = Array.from({ length: CACHES }, () => {
    const redis = createRedisClient({ clusterNodes: cluster.addresses, commandTimeoutMs: 5_000 });
    const cache = composeCache({ redis, appName, partitions: PARTITIONS, l1 });
    opened.push({ cache, redis });
    return cache;
  });
  await Promise.all(caches.map((cache) => cache.open()));
  return caches;
}

async function close({ cache, redis }: Opened): Promise<void> {
  await cache.close();
  await quitRedis(redis, 1_000);
}

/** How long the first cache takes to invalidate an entry that all caches hold. */
async function acknowledgementMs(caches: readonly CacheService[], i: number): Promise<number> {
  const id = String(Math.abs(i) % RECORDS);
  const thing = record('Thing', id);
  for (const cache of caches) await cache.getOrSet(`thing:${id}`, () => Promise.resolve(i), { dependsOn: [thing] });
  const begin = performance.now();
  await caches[0]?.invalidate(thing);
  return performance.now() - begin;
}

function table(samples: Samples): BenchTable {
  const times = samples.median(WITH) / samples.median(WITHOUT);
  const ms = (number: number) => `${number.toFixed(2)} ms`;
  const row = (name: string, ofTheFloor: string) => {
    const all = samples.of(name);
    return [name, ms(samples.median(name)), ofTheFloor, ms(percentile(all, 0.99)), ms(Math.max(...all))];
  };
  return {
    title: 'Acknowledgement on a Redis Cluster',
    intro:
      `${PARTITIONS} partitions on three masters, ${CACHES} caches in one process that hold the entry; one of them invalidates the record on which ` +
      'it depends, in all partitions, and waits for the L1s of the others. The floor: the same without L1s, in turn.',
    header: ['', 'p50', 'of the floor', 'p99', 'longest'],
    rows: [row(WITHOUT, '× 1.0'), row(WITH, `× ${times.toFixed(1)}`)],
    notes: [],
    targets: [
      {
        what: 'invalidation acknowledged on a Cluster, of the time without L1',
        target: `≤ ${TIMES_MAX.toFixed(1)}`,
        measured: times.toFixed(1),
        isMet: times <= TIMES_MAX,
      },
    ],
  };
}
