import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { LEASE_TIMES } from '@bff/infra/cache/store/redis/l1/l1-leases';
import { Partitions, type Partition } from '@bff/infra/cache/store/redis/partition/partition';
import { parseBusMessage } from '@bff/infra/cache/store/redis/bus/store-messages';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { slotOf, startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { redisCommand } from '../../support/redis/redis-command.js';
import type { RedisServer } from '../../support/redis/redis-server.js';

const PROCESSES = 3;
/** More than the three masters, so that announcements come from several nodes; one node has all acknowledgements. */
const PARTITIONS = 4;
const INVALIDATIONS = 20;
const START_MS = 120_000;

/** `npm run bench -- --only=cluster` measures how long an acknowledgement takes. */
describe('acknowledgement on a Cluster', () => {
  const appName = `ack-${randomUUID().slice(0, 8)}`;
  let cluster: RedisCluster;
  const opened: { cache: CacheService; redis: RedisClient }[] = [];
  /** Receives messages that any node publishes. */
  let listener: Redis;
  /** The processes that have acknowledged, by the tip of an awaited invalidation. */
  const acknowledged = new Map<string, Set<string>>();

  beforeAll(async () => {
    cluster = await startRedisCluster();
    listener = new Redis(cluster.nodes[0]!.url);
    listener.on('pmessage', (_pattern, channel: string, text: string) => hear(channel, text));
    await listener.psubscribe(`{${appName}*`);
  }, START_MS);
  afterAll(async () => {
    await Promise.all(
      opened.map(async ({ cache, redis }) => {
        await cache.close();
        await quitRedis(redis, 1_000);
      }),
    );
    listener?.disconnect();
    await cluster?.stop();
  }, START_MS);

  /** Opens the caches of three processes, each with an L1. */
  async function processes(name: string): Promise<CacheService[]> {
    const made = Array.from({ length: PROCESSES }, () => {
      const redis = createRedisClient({ clusterNodes: cluster.addresses, commandTimeoutMs: 5_000 });
      const cache = composeCache({ redis, appName: name, partitions: PARTITIONS, l1: 'strict' });
      opened.push({ cache, redis });
      return cache;
    });
    await Promise.all(made.map((cache) => cache.open()));
    await eventually(() => made.every((cache) => cache.state().status === 'up'), { what: 'stores that are up' });
    return made;
  }

  function membersThatFollowed(tip: string): Set<string> {
    const members = acknowledged.get(tip) ?? new Set<string>();
    acknowledged.set(tip, members);
    return members;
  }

  function hear(channel: string, text: string): void {
    if (channel.includes(':ak:')) {
      const [member = '', ...tips] = text.split(' ');
      for (const tip of tips) membersThatFollowed(tip).add(member);
    } else if (channel.endsWith(':bus') && parseBusMessage(text)?.requester) {
      membersThatFollowed(parseBusMessage(text)!.tip);
    }
  }

  const read = (cache: CacheService, i: number, value: number) =>
    cache.getOrSet(`thing:${i}`, async () => value, { dependsOn: [record('Thing', String(i))] });

  it('[T6] comes from every process, in each partition, and is heard: nobody waits for the next beats or for the end of a lease', async () => {
    const caches = await processes(appName);
    // The first invalidation waits until the gate is older than a lease; the measured ones then need not.
    await Promise.all(caches.map((cache) => cache.invalidate(record('Nothing', '0'))));
    acknowledged.clear();
    const took: number[] = [];
    for (let i = 0; i < INVALIDATIONS; i++) {
      for (const cache of caches) expect(await read(cache, i, 1)).toBe(1);
      const begun = performance.now();
      await caches[i % PROCESSES]!.invalidate(record('Thing', String(i)));
      took.push(performance.now() - begun);
      for (const cache of caches) expect(await read(cache, i, 2)).toBe(2);
    }
    const all = () => [...acknowledged.values()].map((members) => members.size);
    const expected = Array(INVALIDATIONS * PARTITIONS).fill(PROCESSES - 1);
    await eventually(() => all().length === expected.length && all().every((size) => size === PROCESSES - 1));
    expect(all()).toEqual(expected);
    // Without acknowledgements an invalidation would wait for the beats of the other processes in each partition;
    // without beats, for the end of their leases.
    const atOnce = took.filter((ms) => ms < LEASE_TIMES.beatMs).length;
    expect(atOnce).toBeGreaterThan(INVALIDATIONS / 2);
  });

  it(
    '[T6] is listened to where the slot is, also after a failover and after the slot has moved',
    async () => {
      const moving = `moving-${randomUUID().slice(0, 8)}`;
      await processes(moving);
      const [{ busChannel: channel }] = new Partitions(moving, PARTITIONS).all as [Partition];
      const isHeardAt = async (node: RedisServer) => {
        const [, count] = (await redisCommand(node.port, 'PUBSUB', 'NUMSUB', channel)) as [string, number];
        return count === PROCESSES;
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
