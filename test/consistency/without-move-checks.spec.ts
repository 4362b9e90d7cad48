import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { eventually } from '../support/eventually.js';
import { slotOf, startRedisCluster, type RedisCluster } from '../support/redis/redis-cluster.js';
import { switchOff } from '../checks/consistency/process/without.js';

const START_MS = 120_000;
const ORDER = record('Order', '1');
const KEY = 'orders:1';

/**
 * Shows that nothing else protects a partition whose slot moves. `npm run check:consistency -- --prove
 * --topology=cluster` relies on that.
 */
describe('without what protects a partition whose slot moves', () => {
  let cluster: RedisCluster;
  let close: () => Promise<void>;
  let cache: CacheService;

  beforeAll(async () => void (cluster = await startRedisCluster({ replicasPerMaster: 0 })), START_MS);
  afterAll(() => cluster.stop(), START_MS);
  beforeEach(async () => {
    const redis = createRedisClient({ clusterNodes: cluster.addresses, commandTimeoutMs: 2_000 });
    switchOff('move-checks', redis);
    cache = composeCache({ redis, appName: 'unprotected', partitions: 1, l1: 'off' });
    close = async () => {
      await cache.close();
      await quitRedis(redis, 1_000);
    };
    await cache.open();
  });
  afterEach(() => close());

  it('[A1] an invalidation is undone that was acknowledged while only the gate had moved', async () => {
    let source = 'old';
    const read = () => cache.getOrSet(KEY, async () => source, { dependsOn: [ORDER] });
    expect(await read()).toBe('old');
    let failing!: Promise<unknown>;
    let fail!: (error: Error) => void;
    const isFetching = new Promise<void>((begun) => {
      failing = cache.getOrSet('orders:2', () => (begun(), new Promise((_, reject) => (fail = reject))));
    });
    await isFetching;
    const slot = slotOf('{unprotected.v2.P1:0}');
    const owner = await cluster.masterOf(slot);
    const target = cluster.nodes.find((node) => node !== owner)!;
    await cluster.migrateSlot(slot, target, {
      replace: true,
      order: (keys) => [...keys].sort((a, b) => Number(b.endsWith(':g')) - Number(a.endsWith(':g'))),
      beforeKey: async (_, moved) => {
        if (moved !== 1) return;
        source = 'new';
        await cache.invalidate(ORDER);
        // The failed build ends its lease in Redis. Nobody waits for that, and it must not reveal that the slot moves.
        fail(new Error('the source failed'));
        await expect(failing).rejects.toThrow('the source failed');
      },
    });
    await eventually(async () => (await cache.get(KEY)) === 'old', { withinMs: 5_000, what: 'a stale read' });
  });
});
