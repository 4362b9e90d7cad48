import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { elapse, eventually } from '../../support/eventually.js';
import { slotOf, startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { redisCommand } from '../../support/redis/redis-command.js';

const START_MS = 120_000;
const ORDER = record('Order', '1');
const KEY = 'orders:1';
/** How long the test looks for an old value: longer than an L1's lease, and than the pause between sweeps or beats. */
const WATCHED_MS = 1_500;

describe.each(['off', 'strict'] as const)('a slot that moves, L1 %s', (l1) => {
  let cluster: RedisCluster;
  let closeAll: (() => Promise<void>)[] = [];
  let appName: string;
  let caches: CacheService[];
  let source: string;

  beforeAll(async () => void (cluster = await startRedisCluster({ replicasPerMaster: 0 })), START_MS);
  afterAll(() => cluster.stop(), START_MS);
  beforeEach(async () => {
    appName = `slots-${randomUUID().slice(0, 8)}`;
    source = 'old';
    caches = await Promise.all([join(), join()]);
  });
  afterEach(async () => {
    await Promise.all(closeAll.map((close) => close()));
    closeAll = [];
  });

  async function join(): Promise<CacheService> {
    const redis = createRedisClient({ clusterNodes: cluster.addresses, commandTimeoutMs: 2_000 });
    const cache = composeCache({ redis, appName, partitions: 1, l1 });
    closeAll.push(async () => {
      await cache.close();
      await quitRedis(redis, 1_000);
    });
    await cache.open();
    return cache;
  }

  const tag = () => `{${appName}.v2.P1:0}`;
  const read = (cache: CacheService) => cache.getOrSet(KEY, async () => source, { dependsOn: [ORDER] });
  const [first, second] = [() => caches[0] as CacheService, () => caches[1] as CacheService];
  /** Invalidates; resolves with whether it was acknowledged. */
  const invalidate = (cache: CacheService) =>
    cache.invalidate(ORDER).then(
      () => true,
      () => false,
    );
  const neverOld = async () => {
    const until = performance.now() + WATCHED_MS;
    while (performance.now() < until) for (const cache of caches) expect(await read(cache)).toBe('new');
  };
  /** A node that does not own the slot. */
  const elsewhere = async () => {
    const owner = await cluster.masterOf(slotOf(tag()));
    return cluster.nodes.find((node) => node !== owner)!;
  };
  const gateFirst = (keys: readonly string[]) =>
    [...keys].sort((a, b) => Number(b.endsWith(':g')) - Number(a.endsWith(':g')));

  it('[A1] [T1] undoes no invalidation that was acknowledged while only the gate had moved', async () => {
    for (const cache of caches) expect(await read(cache)).toBe('old');
    let isAcknowledged = false;
    await cluster.migrateSlot(slotOf(tag()), await elsewhere(), {
      order: gateFirst,
      beforeKey: async (_, moved) => {
        if (moved !== 1) return;
        source = 'new';
        isAcknowledged = await invalidate(first());
      },
    });
    if (!isAcknowledged) await eventually(() => invalidate(first()), { withinMs: 10_000, what: 'an acknowledgement' });
    await neverOld();
  });

  it('[A1] is found half moved also when the move is given up: what is left is not taken for all of it', async () => {
    for (const cache of caches) expect(await read(cache)).toBe('old');
    const slot = slotOf(tag());
    const owner = await cluster.masterOf(slot);
    const target = await elsewhere();
    const [from, to] = await Promise.all([owner, target].map(({ port }) => redisCommand(port, 'CLUSTER', 'MYID')));
    await redisCommand(target.port, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', String(from));
    await redisCommand(owner.port, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', String(to));
    const index = `${tag()}:x:${ORDER}`;
    await redisCommand(owner.port, 'MIGRATE', '127.0.0.1', String(target.port), index, '0', '1000');
    await invalidate(second()); // acknowledged or not, a script has seen the open slot
    for (const { port } of [owner, target]) await redisCommand(port, 'CLUSTER', 'SETSLOT', String(slot), 'STABLE');
    source = 'new';
    await eventually(() => invalidate(first()), { withinMs: 10_000, what: 'an acknowledgement' });
    await neverOld();
  });

  it('[T1] is used again at once when it has moved, whatever the order of its keys', async () => {
    for (const order of ['random', 'reversed', 'listed'] as const) {
      source = 'old';
      await eventually(() => invalidate(first()), { withinMs: 10_000, what: 'an acknowledgement' });
      for (const cache of caches)
        await eventually(async () => (await cache.get(KEY)) === 'old' || (await read(cache), false));
      await cluster.migrateSlot(slotOf(tag()), await elsewhere(), { order, beforeKey: () => elapse(10) });
      source = 'new';
      await eventually(() => invalidate(second()), { withinMs: 5_000, what: 'an acknowledgement' });
      await neverOld();
      await eventually(async () => (await first().get(KEY)) === 'new', { withinMs: 5_000, what: 'a hit' });
    }
  });
});
