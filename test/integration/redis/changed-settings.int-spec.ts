import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RedisGuard } from '@bff/infra/cache/store/redis/connection/redis-guard';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Refusals } from '@bff/infra/redis/refusals';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const LOOK_MS = 50;
const REFUSED = /maxmemory-policy allkeys-lru, which may evict the index/;

let server: RedisServer | undefined;
let cluster: RedisCluster | undefined;
let redis: RedisClient;
let guard: RedisGuard;
let admin: Redis | undefined;

beforeEach(() => {
  server = cluster = admin = undefined;
});
afterEach(async () => {
  guard.close();
  redis.disconnect();
  admin?.disconnect();
  await Promise.all([server?.stop(), cluster?.stop()]);
});

it('[N9] a Redis whose policy becomes one that evicts is used no more, until it is changed back', async () => {
  server = await startRedisServer();
  redis = createRedisClient({ url: server.url });
  admin = new Redis(server.url);
  guard = new RedisGuard(redis, LOOK_MS);
  await guard.open();
  expect(guard.reason).toBeUndefined();
  let outages = 0;
  guard.onOutage(() => (outages += 1));
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await eventually(() => REFUSED.test(guard.reason ?? ''), { what: 'the store is not used' });
  expect(outages).toBeGreaterThan(0);
  expect(Refusals.of(redis).reasons.join()).toMatch(REFUSED);
  await admin.config('SET', 'maxmemory-policy', 'volatile-lru');
  await eventually(() => guard.reason === undefined, { what: 'the store is used again' });
  expect(Refusals.of(redis).reasons).toEqual([]);
});

it('[N9] any master of a Cluster that may evict is noticed', async () => {
  cluster = await startRedisCluster({ replicasPerMaster: 0 });
  redis = createRedisClient({ clusterNodes: cluster.addresses });
  guard = new RedisGuard(redis, LOOK_MS);
  await guard.open();
  await eventually(() => guard.reason === undefined, { what: 'the Cluster is used' });
  const { host, port } = cluster.addresses.at(-1) as { host: string; port: number };
  admin = new Redis({ host, port });
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await eventually(() => REFUSED.test(guard.reason ?? ''), { what: 'the store is not used' });
});
