import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/compose-cache';
import { record } from '@bff/infra/cache/dependencies';
import { Partitions, type Partition } from '@bff/infra/cache/store/redis/partition';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/redis-lifetime';
import { eventually } from '../../support/eventually.js';
import { slotOf, startRedisCluster, type RedisCluster } from '../../support/redis-cluster.js';
import { redisCommand } from '../../support/redis-command.js';
import type { RedisServer } from '../../support/redis-server.js';

const INVALIDATIONS = 300;
const PARTITIONS = 4;
const START_MS = 120_000;

describe('acknowledgement on a Cluster', () => {
  let cluster: RedisCluster;
  const opened: { cache: CacheService; redis: RedisClient }[] = [];
  beforeAll(async () => void (cluster = await startRedisCluster()), START_MS);
  afterAll(async () => {
    await Promise.all(
      opened.map(async ({ cache, redis }) => {
        await cache.close();
        await quitRedis(redis, 1_000);
      }),
    );
    await cluster.stop();
  }, START_MS);

  /** Caches of three processes; the first one invalidates what all of them hold. */
  async function processes(
    l1: 'off' | 'strict',
    appName = `ack-${l1}-${randomUUID().slice(0, 8)}`,
  ): Promise<CacheService[]> {
    const made = Array.from({ length: 3 }, () => {
      const redis = createRedisClient({ clusterNodes: cluster.addresses, commandTimeoutMs: 5_000 });
      const { cache } = composeCache({ redis, appName, partitions: PARTITIONS, l1 });
      opened.push({ cache, redis });
      return cache;
    });
    await Promise.all(made.map((cache) => cache.open()));
    return made;
  }

  async function acknowledgement(caches: readonly CacheService[], i: number): Promise<number> {
    const key = `thing:${i % 20}`;
    const dependsOn = record('Thing', String(i % 20));
    for (const cache of caches) await cache.getOrSet(key, () => Promise.resolve(i), { dependsOn: [dependsOn] });
    const startedAt = performance.now();
    await caches[0]!.invalidate(dependsOn);
    return performance.now() - startedAt;
  }

  it(
    '[T6] takes with an L1 at most three times what it takes without',
    async () => {
      const [without, withL1] = [await processes('off'), await processes('strict')];
      const took = { off: [] as number[], strict: [] as number[] };
      for (let i = 0; i < INVALIDATIONS + 20; i += 1) {
        const [off, strict] = [await acknowledgement(without, i), await acknowledgement(withL1, i)];
        if (i < 20) continue; // the births of the gates, and connections
        took.off.push(off);
        took.strict.push(strict);
      }
      const [off, strict] = [median(took.off), median(took.strict)];
      process.stdout.write(
        `acknowledgement p50 of ${INVALIDATIONS}: ${off.toFixed(2)} ms without, ${strict.toFixed(2)} ms with L1\n`,
      );
      expect(strict).toBeLessThanOrEqual(3 * off);
    },
    START_MS,
  );

  it(
    '[T6] is listened to where the slot is, also after a failover and after the slot has moved',
    async () => {
      const appName = `moving-${randomUUID().slice(0, 8)}`;
      await processes('strict', appName);
      const [{ busChannel: channel }] = new Partitions(appName, PARTITIONS).all as [Partition];
      const isHeardAt = async (node: RedisServer) => {
        const [, count] = (await redisCommand(node.port, 'PUBSUB', 'NUMSUB', channel)) as [string, number];
        return count === 3;
      };
      const owner = await cluster.masterOf(channel);
      await eventually(() => isHeardAt(owner), { withinMs: 10_000, what: 'that the owner is listened to' });
      const replica = await cluster.replicaOf(owner);
      await cluster.failover(replica);
      await eventually(() => isHeardAt(replica), { withinMs: 10_000, what: 'that the new master is listened to' });
      const masters = await Promise.all([0, 8_000, 16_383].map((slot) => cluster.masterOf(slot)));
      const to = masters.find((node) => node !== replica)!;
      await cluster.migrateSlot(slotOf(channel), to);
      await eventually(() => isHeardAt(to), { withinMs: 10_000, what: 'that the new owner is listened to' });
    },
    2 * START_MS,
  );
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
