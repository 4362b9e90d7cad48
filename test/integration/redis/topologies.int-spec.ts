import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { redisCommand } from '../../support/redis/redis-command.js';
import { slotOf, startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { startRedisSentinels, type RedisSentinels } from '../../support/redis/redis-sentinels.js';

/** How long the start, the end or some failovers of six servers may take on a busy machine. */
const SLOW_MS = 120_000;

describe('startRedisCluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, SLOW_MS);
  afterAll(() => cluster.stop(), SLOW_MS);

  it('moves a slot key by key, in the order asked for', async () => {
    const keys = ['{moving}a', '{moving}b', '{moving}c'];
    const slot = slotOf('{moving}');
    const from = await cluster.masterOf('{moving}');
    const to = (await Promise.all([0, 8_000, 16_383].map((s) => cluster.masterOf(s)))).find((node) => node !== from)!;
    for (const key of keys) await redisCommand(from.port, 'SET', key, 'value');
    const moved: unknown[] = [];
    const order = (listed: readonly string[]) => [...listed].sort().reverse();
    await cluster.migrateSlot(slot, to, { order, beforeKey: (key) => void moved.push(key) });
    expect(moved).toEqual(['{moving}c', '{moving}b', '{moving}a', undefined]);
    expect(await cluster.masterOf(slot)).toBe(to);
    expect(await redisCommand(to.port, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(3);
    await cluster.waitUntilWhole();
  });

  it(
    'fails over by hand and when a master dies, and is whole again when that is back',
    async () => {
      const first = await cluster.masterOf(0);
      const replica = await cluster.replicaOf(first);
      await cluster.failover(replica);
      await cluster.waitUntilWhole();
      expect(await cluster.masterOf(0)).toBe(replica);
      await replica.kill();
      await cluster.waitUntilWhole();
      expect(await cluster.masterOf(0)).toBe(first);
      await replica.restart();
      await cluster.waitUntilWhole();
      expect(await cluster.replicaOf(first)).toBe(replica);
    },
    SLOW_MS,
  );
});

describe('startRedisSentinels', () => {
  let group: RedisSentinels;
  beforeAll(async () => {
    group = await startRedisSentinels();
  }, SLOW_MS);
  afterAll(() => group.stop(), SLOW_MS);

  it(
    'replaces a master that froze with the first Sentinel, and takes both back',
    async () => {
      const master = await group.currentMaster();
      const [sentinel] = group.sentinels;
      master.pause();
      sentinel!.pause();
      const isReplaced = async () => (await group.currentMaster()) !== master;
      await eventually(isReplaced, { withinMs: SLOW_MS });
      await group.waitUntilWhole();
      master.resume();
      sentinel!.resume();
      await group.waitUntilWhole();
      expect(await group.replicas()).toContain(master);
    },
    SLOW_MS,
  );

  it(
    'knows again who is a replica of whom after a restart',
    async () => {
      const master = await group.currentMaster();
      await master.kill();
      const isReplaced = async () => (await group.currentMaster()) !== master;
      await eventually(isReplaced, { withinMs: SLOW_MS });
      await master.restart();
      await group.waitUntilWhole();
      await master.restart();
      await group.waitUntilWhole();
      expect(await group.currentMaster()).not.toBe(master);
    },
    SLOW_MS,
  );
});
