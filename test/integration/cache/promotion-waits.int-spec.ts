import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { partitionTag } from '../../checks/consistency/index-walk.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisCluster } from '../../support/redis/redis-cluster.js';
import { startRedisSentinels } from '../../support/redis/redis-sentinels.js';
import type { RedisServer } from '../../support/redis/redis-server.js';
import { SteadyLoad } from '../../support/steady-load.js';

const SLOW_MS = 180_000;
const CACHES = 3;
const KEYS = 40;
const READS_PER_SECOND = 150;
const INVALIDATIONS_PER_SECOND = 15;
const FETCH_MS = 30;
/** How long a read may take besides its fetch, in any state of the primary. */
const WAIT_MS = 1_000;
const BEFORE_MS = 1_000;
const AFTER_MS = 3_000;

interface Replicated {
  readonly place: RedisConnectionOptions;
  primary(key: string): Promise<RedisServer>;
  waitUntilWhole(): Promise<void>;
  stop(): Promise<void>;
}

const topologies: readonly (readonly [string, () => Promise<Replicated>])[] = [
  [
    'a Cluster',
    async () => {
      const cluster = await startRedisCluster();
      return {
        place: { clusterNodes: cluster.addresses },
        primary: (key) => cluster.masterOf(key),
        waitUntilWhole: () => cluster.waitUntilWhole(),
        stop: () => cluster.stop(),
      };
    },
  ],
  [
    'Sentinels',
    async () => {
      const group = await startRedisSentinels();
      return {
        place: { sentinels: group.addresses, sentinelName: group.name },
        primary: () => group.currentMaster(),
        waitUntilWhole: () => group.waitUntilWhole(),
        stop: () => group.stop(),
      };
    },
  ],
];

describe.each(topologies)('readers on %s while a replica is promoted', (_, start) => {
  let redis: Replicated;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => void (redis = await start()), SLOW_MS);
  afterEach(async () => void (await Promise.all(closing.splice(0).map((close) => close()))), SLOW_MS);
  afterAll(() => redis.stop(), SLOW_MS);

  async function openCache(appName: string): Promise<CacheService> {
    const client = createRedisClient(redis.place);
    const cache = createCache({ redis: client, appName, l1: 'strict' });
    closing.push(async () => {
      await cache.close();
      client.disconnect();
    });
    await cache.open();
    return cache;
  }

  it.each<[string, (server: RedisServer) => Promise<void>, (server: RedisServer) => Promise<void>]>([
    ['is killed', (server) => server.kill(), (server) => server.restart()],
    ['stands still', async (server) => server.pause(), async (server) => server.resume()],
  ])(
    '[T3] wait no longer than a second and the fetch when the primary %s',
    async (_how, fell, back) => {
      const appName = `t${randomUUID().slice(0, 8)}`;
      const caches = await Promise.all(Array.from({ length: CACHES }, () => openCache(appName)));
      await eventually(() => caches.every((cache) => cache.state().status === 'up'), { withinMs: 20_000 });
      const at = (n: number) => caches[n % CACHES] as CacheService;
      const reads = new SteadyLoad(READS_PER_SECOND, (n) =>
        at(n).getOrSet(`thing:${n % KEYS}`, async () => elapse(FETCH_MS).then(() => n), {
          dependsOn: [record('Thing', String(n % KEYS))],
        }),
      );
      const changes = new SteadyLoad(INVALIDATIONS_PER_SECOND, (n) =>
        at(n).invalidate(record('Thing', String(n % KEYS))),
      );
      await elapse(BEFORE_MS);
      const partition = partitionTag(appName, 1, 0);
      const primary = await redis.primary(partition);
      await fell(primary);
      const isReplaced = async () => (await redis.primary(partition).catch(() => primary)) !== primary;
      await eventually(isReplaced, { withinMs: 60_000, what: 'another primary' });
      await elapse(AFTER_MS);
      await back(primary);
      await redis.waitUntilWhole();
      await elapse(AFTER_MS);
      await Promise.all([reads.stop(), changes.stop()]);
      expect(reads.samples.filter(({ error }) => error !== undefined)).toEqual([]);
      const waits = reads.samples.map((sample) => reads.waited(sample)).sort((a, b) => b - a);
      if (process.env.MEASURE_WAITS) console.log(waits.slice(0, 5).map(Math.round), waits.length);
      expect(waits[0]).toBeLessThanOrEqual(FETCH_MS + WAIT_MS);
    },
    SLOW_MS,
  );
});
