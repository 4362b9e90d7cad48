import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import type { OnSplit } from '@bff/infra/redis/primary-vouch';
import { createRedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { partitionTag } from '../../checks/consistency/index-walk.js';
import { CacheProcess } from '../../support/cache/cache-process-pool.js';
import { eventually } from '../../support/eventually.js';
import { startRedisCluster, type RedisCluster } from '../../support/redis/redis-cluster.js';
import { startRedisSentinels, type RedisSentinels } from '../../support/redis/redis-sentinels.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const SLOW_MS = 120_000;
const APP = { partitions: 1, commandTimeoutMs: 1000 };
const MODES: readonly [l1: 'off' | 'strict', onSplit: OnSplit][] = [
  ['off', 'serve'],
  ['strict', 'serve'],
  ['off', 'refuse'],
  ['strict', 'refuse'],
];

let source: RedisServer;
let truth: Redis;
const processes: CacheProcess[] = [];
const caches: CacheService[] = [];
beforeAll(async () => {
  source = await startRedisServer();
  truth = new Redis(source.url);
}, SLOW_MS);
afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.kill()));
  await Promise.all(caches.splice(0).map((cache) => cache.close()));
}, SLOW_MS);
afterAll(async () => {
  truth.disconnect();
  await source.stop();
}, SLOW_MS);

/** Starts a process that holds the old value, and a cache of this process over the same store, which changes it. */
async function twoSides(connection: RedisConnectionOptions, l1: 'off' | 'strict', onSplit: OnSplit) {
  const options = { ...APP, appName: `t${randomUUID().slice(0, 8)}`, l1, onSplit };
  const process = await CacheProcess.startWith(source.url, { commandTimeoutMs: 1000, ...connection }, options);
  processes.push(process);
  const redis = createRedisClient({ commandTimeoutMs: 1000, ...connection });
  const other = createCache({ ...options, redis });
  caches.push(other);
  await other.open();
  const key = `things:${randomUUID()}`;
  await truth.set(`source:${key}`, 'old');
  const read = async () =>
    ((await process.call({ operation: 'getOrSet', key, callers: 1, fetchMs: 0, leaseMs: 1000 })) as string[])[0];
  await eventually(async () => (await read()) === 'old' && (await process.call({ operation: 'get', key })) === 'old', {
    withinMs: 20_000,
    what: 'that the process holds the value',
  });
  const change = async () => {
    await truth.set(`source:${key}`, 'new');
    let why = '';
    const isAcknowledged = () =>
      other.invalidate(record('Source', key)).then(
        () => true,
        (e: Error) => (why = `${e.message}: ${String(e.cause)}, ${JSON.stringify(other.state())}`) === '', // the new primary is not found yet
      );
    const within = { withinMs: 30_000, what: 'that the change is acknowledged' };
    await eventually(isAcknowledged, within).catch((error: Error) => {
      throw new Error(`${error.message}: ${why}`);
    });
  };
  return { process, read, change, appName: options.appName };
}

/**
 * Starts twenty reads, calls `begin`, and reads on for `forMs`. Returns how many of all reads answered another value
 * than the new one.
 */
async function oldReads(read: () => Promise<unknown>, begin: () => void, forMs: number): Promise<number> {
  const first = Array.from({ length: 20 }, read);
  begin();
  const told = await Promise.all(first);
  const end = performance.now() + forMs;
  while (performance.now() < end) told.push(await read());
  return told.filter((value) => value !== 'new').length;
}

describe('[T4] a host that freezes with its primary and a process on it', () => {
  describe('through Sentinels', () => {
    let group: RedisSentinels;
    beforeAll(async () => void (group = await startRedisSentinels()), SLOW_MS);
    afterAll(() => group.stop(), SLOW_MS);

    it.each(MODES)(
      'serves nothing old when it goes on (L1 %s, onSplit %s)',
      async (l1, onSplit) => {
        await group.waitUntilWhole();
        const connection = { sentinels: group.addresses, sentinelName: group.name };
        const { process, read, change } = await twoSides(connection, l1, onSplit);
        const primary = await group.currentMaster();
        const host = [primary, group.sentinels[0]!];
        const goOn = () => {
          host.forEach((server) => server.resume());
          process.signal('SIGCONT');
        };
        process.signal('SIGSTOP');
        host.forEach((server) => server.pause());
        try {
          const isReplaced = async () => (await group.currentMaster()) !== primary;
          await eventually(isReplaced, { withinMs: 30_000, what: 'another primary' });
          await change();
          expect(await oldReads(read, goOn, 4000)).toBe(0);
        } finally {
          goOn();
        }
      },
      SLOW_MS,
    );
  });

  describe('in a Cluster', () => {
    let cluster: RedisCluster;
    beforeAll(async () => void (cluster = await startRedisCluster()), SLOW_MS);
    afterAll(() => cluster.stop(), SLOW_MS);

    it.each(MODES)(
      'serves nothing old when it goes on (L1 %s, onSplit %s)',
      async (l1, onSplit) => {
        await cluster.waitUntilWhole();
        const { process, read, change, appName } = await twoSides({ clusterNodes: cluster.addresses }, l1, onSplit);
        const slot = partitionTag(appName, 1, 0);
        const primary = await cluster.masterOf(slot);
        const goOn = () => {
          primary.resume();
          process.signal('SIGCONT');
        };
        process.signal('SIGSTOP');
        primary.pause();
        try {
          const isReplaced = async () => (await cluster.masterOf(slot)) !== primary;
          await eventually(isReplaced, { withinMs: 30_000, what: 'another primary' });
          await change();
          expect(await oldReads(read, goOn, 4000)).toBe(0);
        } finally {
          goOn();
        }
      },
      SLOW_MS,
    );
  });
});
