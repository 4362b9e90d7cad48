import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  acknowledgementNeed,
  layoutNeed,
  comfortNeed,
  partitionNeed,
} from '@bff/infra/cache/store/redis/connection/cache-needs';
import { Partitions } from '@bff/infra/cache/store/redis/partition/partition';
import { RedisConsumerLeases } from '@bff/infra/fleet/redis/redis-consumer-leases';
import { RedisProcessReports } from '@bff/infra/fleet/redis/redis-process-reports';
import { RedisIdempotencyRecords } from '@bff/infra/idempotency/redis/redis-idempotency-records';
import { RedisLimits } from '@bff/infra/limits/redis/redis-limits';
import { RedisNonces } from '@bff/infra/nonces/redis/redis-nonces';
import { RedisNoticeBoard } from '@bff/infra/notices/redis/redis-notice-board';
import { COMMAND_TRIALS } from '@bff/infra/redis/permissions/command-trials';
import { needsOf, type Need } from '@bff/infra/redis/needs';
import { missingPermissions } from '@bff/infra/redis/permission-examination';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { RedisSpendLedger } from '@bff/infra/sources/redis-spend-ledger';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { permissionsOf, smallestAcl, without } from '../../support/redis/smallest-acl.js';

const APP = 'evergreen';
const RULES = smallestAcl(APP);
/** Always allowed besides the tried permission: the commands of a connection itself, and those of the examination. */
const OF_CONNECTIONS = ['+info', '+eval', '+evalsha', '+publish', '+subscribe'];
/** The examination does not try these; a missing one shows where it is used. */
const NOT_TRIED = ['+subscribe'];

describe.each([
  ['a server of its own', [] as string[]],
  ['a cluster', ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']],
])('[B1] what a user may do on %s', (_, args) => {
  let server: RedisServer;
  let admin: Redis;
  let redis: RedisClient;
  let needs: Need[];
  beforeAll(async () => {
    server = await startRedisServer({ args });
    admin = new Redis(server.url);
    const isCluster = args.length > 0;
    if (isCluster) {
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
      const isWhole = async () => (await admin.cluster('INFO')).includes('cluster_state:ok');
      await eventually(isWhole, { withinMs: 30_000, what: 'the cluster' });
      RULES.push('+cluster|slots', '+cluster|info', `~{${APP}}:ak:*`);
    }
    await admin.acl('SETUSER', 'bff', ...without(RULES, ''));
    redis = createRedisClient({
      ...(isCluster
        ? { clusterNodes: [{ host: '127.0.0.1', port: server.port }], username: 'bff', password: 'password' }
        : { url: `redis://bff:password@127.0.0.1:${server.port}` }),
      commandTimeoutMs: 10_000,
    });
    await redis.connect();
    new RedisConsumerLeases(redis, APP);
    const policy = { points: 1, windowSeconds: 1 };
    new RedisLimits(redis, APP, { request: policy, fetch: policy, write: policy, stream: policy }, 1);
    new RedisIdempotencyRecords(redis, APP);
    new RedisNonces(redis, APP);
    new RedisNoticeBoard(redis, APP);
    await new RedisProcessReports(redis, APP, 'me').close();
    await new RedisSpendLedger(redis, APP).close();
    needs = [
      ...new Partitions(APP, 2).all.map((partition) => partitionNeed(APP, partition)),
      layoutNeed(APP),
      acknowledgementNeed(APP, redis) ?? [],
      comfortNeed(APP, new Partitions(APP, 2).all[0] as never),
      ...needsOf(redis).values(),
    ].flat();
  });
  afterAll(async () => {
    redis.disconnect();
    admin.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await admin.acl('SETUSER', 'bff', ...without(RULES, ''));
  });

  const missing = async () => {
    const sentences = await Promise.all(needs.map((need) => missingPermissions(redis, need)));
    return [...new Set(sentences.filter((sentence) => sentence !== undefined))];
  };

  it('is enough if it is what the page says, and trying it leaves nothing behind', async () => {
    expect(await missing()).toEqual([]);
    expect(await admin.keys('*')).toEqual([]);
  });

  it('is named exactly, with the line that mends it, when one thing is missing', async () => {
    const tried = permissionsOf(RULES).filter((rule) => !NOT_TRIED.includes(rule) && !rule.includes('cluster'));
    const told: Record<string, string[]> = {};
    const expected: Record<string, string[]> = {};
    for (const rule of tried) {
      await admin.acl('SETUSER', 'bff', ...without(RULES, rule));
      told[rule] = await missing();
      const what = rule.startsWith('+')
        ? rule.slice(1).toUpperCase().replace('|', ' ')
        : `the ${rule.startsWith('~') ? 'keys' : 'channels'} ${rule.slice(1)}`;
      const where = args.length > 0 ? ' on every node' : '';
      expected[rule] = [`the user bff is not allowed ${what}: run ACL SETUSER bff ${rule}${where}`];
    }
    expect(told).toEqual(expected);
  });

  if (args.length > 0) return;

  it('is what everything on a connection needs, and the page says no more and no less', () => {
    const commands = new Set(needs.flatMap((need) => need.commands));
    const rules = [...commands].map((name) => `+${name.toLowerCase().replace(' ', '|')}`);
    const patterns = needs.flatMap(({ keyPattern, channels = [] }) => [
      `~${keyPattern}`,
      ...channels.map(({ pattern }) => `&${pattern}`),
    ]);
    const all = new Set([...rules, ...patterns, ...OF_CONNECTIONS]);
    const page = permissionsOf(smallestAcl(APP));
    expect(page.toSorted()).toEqual([...all].sort());
    expect(Object.keys(COMMAND_TRIALS).toSorted()).toEqual([...commands].sort());
  });

  it('is named when it is a command that the server does not have', async () => {
    const other = await startRedisServer({ args: ['--rename-command', 'ZADD', '', '--rename-command', 'MGET', 'm'] });
    const client = createRedisClient({ url: other.url, commandTimeoutMs: 10_000 });
    try {
      await client.connect();
      const sentence = await missingPermissions(client, needs[0] as Need);
      expect(sentence).toBe('this server does not know MGET, ZADD, which may have been renamed or switched off');
    } finally {
      client.disconnect();
      await other.stop();
    }
  });
});
