import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Partitions } from '@bff/infra/cache/store/redis/partition/partition';
import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { redisCommand } from '../../support/redis/redis-command.js';
import { ConnectionsOfAProcess } from '../../support/redis/redis-connections.js';
import { startRedisSentinels, type RedisSentinels } from '../../support/redis/redis-sentinels.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

/**
 * How often each fault is repeated. After a change to how connections are made, run
 * CONNECTION_FAULTS=30 npm test -- connections-that-last --selectProjects integration
 */
const REPETITIONS = Number(process.env.CONNECTION_FAULTS ?? 1);
/** How long one repetition may take: a fault, its end, and the check of every connection. */
const REPETITION_MS = 60_000;
const START_MS = 120_000;
/** The product's promise: within this time after the topology is whole, every connection works. */
const HEALTHY_MS = 5_000;
/** How long a fault lasts: long enough for every command and every connection to be given up. */
const LONG_MS = 4_000;

describe('connections to one server', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedisServer()));
  const processes = twoProcesses(() => ({ url: server.url }));
  afterAll(() => server.stop());

  repeatedly('outlast a server that stands still', async () => {
    server.pause();
    await elapse(LONG_MS);
    server.resume();
    await processes.areHealthy();
  });

  repeatedly('outlast a server that is killed and started again', async () => {
    await server.kill();
    await elapse(LONG_MS);
    await server.restart();
    await processes.areHealthy();
  });

  repeatedly('outlast being cut off, all at once', async () => {
    for (const type of ['normal', 'pubsub']) await redisCommand(server.port, 'CLIENT', 'KILL', 'TYPE', type);
    await processes.areHealthy();
  });
});

describe('connections through Sentinels', () => {
  let group: RedisSentinels;
  beforeAll(async () => void (group = await startRedisSentinels()), START_MS);
  const processes = twoProcesses(() => ({ sentinels: group.addresses, sentinelName: group.name }));
  afterAll(() => group.stop(), START_MS);
  const isReplaced = async (master: RedisServer) => {
    const other = async () => (await group.currentMaster()) !== master;
    await eventually(other, { withinMs: REPETITION_MS, what: 'another master' });
    await group.waitUntilWhole();
  };

  repeatedly('[T2] outlast a host that freezes with the master and the first Sentinel', async () => {
    const host = [await group.currentMaster(), group.sentinels[0]!] as const;
    host.forEach((server) => server.pause());
    await isReplaced(host[0]);
    await processes.areHealthy();
    host.forEach((server) => server.resume());
    await group.waitUntilWhole();
    await processes.areHealthy();
  });

  repeatedly('[T2] outlast a master that is killed, and its return', async () => {
    const master = await group.currentMaster();
    await master.kill();
    await isReplaced(master);
    await processes.areHealthy();
    await master.restart();
    await group.waitUntilWhole();
    await processes.areHealthy();
  });

  repeatedly('[T2] outlast a time without any Sentinel', async () => {
    const master = await group.currentMaster();
    group.sentinels.forEach((sentinel) => sentinel.pause());
    await elapse(LONG_MS);
    await processes.areHealthy(); // the connections need no Sentinel while the master works
    await redisCommand(master.port, 'CLIENT', 'KILL', 'TYPE', 'normal');
    await redisCommand(master.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await elapse(LONG_MS);
    group.sentinels.forEach((sentinel) => sentinel.resume());
    await group.waitUntilWhole();
    await processes.areHealthy();
  });

  repeatedly('[T2] outlast a time without anything', async () => {
    const all = [...group.nodes, ...group.sentinels];
    all.forEach((server) => server.pause());
    await elapse(LONG_MS);
    all.forEach((server) => server.resume());
    await group.waitUntilWhole();
    await processes.areHealthy();
  });
});

describe('connections to a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => void (cluster = await startRedisCluster()), START_MS);
  const processes = twoProcesses(() => ({ clusterNodes: cluster.addresses }));
  afterAll(() => cluster.stop(), START_MS);

  repeatedly('[T2] outlast a master of theirs that freezes, and its return', async () => {
    for (const key of processes.keys) {
      const master = await cluster.masterOf(key);
      master.pause();
      const isReplaced = async () => (await cluster.masterOf(key)) !== master;
      await eventually(isReplaced, { withinMs: REPETITION_MS, what: 'another master' });
      await cluster.waitUntilWhole();
      await processes.areHealthy();
      master.resume();
      await cluster.waitUntilWhole();
      await processes.areHealthy();
    }
  });

  repeatedly('[T2] outlast a master that is killed, and its return', async () => {
    const master = await cluster.masterOf(processes.keys[0]!);
    await master.kill();
    await cluster.waitUntilWhole();
    await processes.areHealthy();
    await master.restart();
    await cluster.waitUntilWhole();
    await processes.areHealthy();
  });

  repeatedly('[T2] outlast a time without any node', async () => {
    cluster.nodes.forEach((node) => node.pause());
    await elapse(LONG_MS);
    cluster.nodes.forEach((node) => node.resume());
    await cluster.waitUntilWhole();
    await processes.areHealthy();
  });

  repeatedly('[T2] outlast all nodes being killed and started again', async () => {
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await elapse(LONG_MS);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await cluster.waitUntilWhole();
    await processes.areHealthy();
  });
});

/** Declares one test that repeats the scenario, and names the repetition that fails. */
function repeatedly(name: string, scenario: () => Promise<void>): void {
  const rounds = async () => {
    for (let round = 1; round <= REPETITIONS; round += 1) {
      await scenario().catch((error: Error) => {
        throw new Error(`repetition ${round} of ${REPETITIONS}: ${error.message}`, { cause: error });
      });
    }
  };
  it(name, rounds, REPETITION_MS * REPETITIONS);
}

/** Opens the connections of two processes before the first fault, and closes them after the last one. */
function twoProcesses(options: () => RedisConnectionOptions) {
  const appName = 'lasting';
  const all: ConnectionsOfAProcess[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 2; i += 1) all.push(new ConnectionsOfAProcess(options(), appName));
    await Promise.all(all.map((each) => each.open()));
    await areHealthy();
  }, START_MS);
  afterAll(() => Promise.all(all.map((each) => each.close())));

  const areHealthy = async () => {
    const [one, other] = all as [ConnectionsOfAProcess, ConnectionsOfAProcess];
    let sick: string[] = [];
    const isNobodySick = async () => {
      const found = await Promise.all([one.sick(other), other.sick(one)]);
      sick = found.flat();
      return sick.length === 0;
    };
    const healthy = eventually(isNobodySick, { withinMs: HEALTHY_MS }).then(() => []);
    expect(await healthy.catch(() => [sick, one.redis.status, other.redis.status])).toEqual([]);
  };
  /** A key of the first partition and a key of the notices: in a Cluster, a process needs the masters of both. */
  const keys = [new Partitions(appName, 2).all[0]!.gateKey, `{${appName}.notices}`];
  return { areHealthy, keys };
}
