import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { ReadOutcome } from '@bff/infra/cache/cache.types';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { elapse, eventually } from '../../support/eventually.js';
import { redisCommand, redisFacts } from '../../support/redis/redis-command.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const ORDER = record('Order', '1');
const KEY = 'orders:1';
/** How long the test looks for an old value: longer than an L1's lease, and than the pause between sweeps or beats. */
const WATCHED_MS = 1_500;
/** Allows `DEBUG RELOAD` during a test, and sends a replica its data at once instead of after five seconds. */
const ARGS = ['--enable-debug-command', 'yes', '--repl-diskless-sync-delay', '0'];
/** How long a replica may need to copy the primary on a loaded machine. */
const READY_MS = 20_000;

/**
 * The same server, over the same connection, under the same `run_id`, but with data from before the last invalidation.
 * The processes remember a later history, so none may serve that data.
 */
describe.each(['off', 'strict'] as const)('a Redis whose data goes back, L1 %s', (l1) => {
  let server: RedisServer;
  let others: RedisServer[];
  let closeAll: (() => Promise<void>)[];
  let caches: CacheService[];
  let source: string;

  beforeEach(async () => {
    server = await startRedisServer({ args: ARGS });
    const appName = `back-${randomUUID().slice(0, 8)}`;
    [others, closeAll, source] = [[], [], 'old'];
    caches = await Promise.all([join(appName), join(appName)]);
  });
  afterEach(async () => {
    await Promise.all(closeAll.map((close) => close()));
    await Promise.all([server, ...others].map((each) => each.stop()));
  });

  async function join(appName: string): Promise<CacheService> {
    const redis = createRedisClient({ url: server.url, commandTimeoutMs: 2_000 });
    const cache = composeCache({ redis, appName, l1 });
    closeAll.push(async () => {
      await cache.close();
      await quitRedis(redis, 1_000);
    });
    await cache.open();
    await eventually(() => cache.state().status === 'up', { what: 'a store that is up' });
    return cache;
  }

  const command = (name: string, ...args: string[]) => redisCommand(server.port, name, ...args);
  const fetched = async () => source;
  const read = (cache: CacheService, onOutcome: (outcome: ReadOutcome) => void = () => undefined) =>
    cache.getOrSet(KEY, fetched, { dependsOn: [ORDER], onOutcome });

  async function bothHoldOld(): Promise<void> {
    const holds = async (cache: CacheService) => (await read(cache)) === (await cache.get(KEY));
    for (const cache of caches) await eventually(() => holds(cache), { what: 'an entry' });
  }

  /**
   * Changes the source and invalidates. Afterwards each process makes a request to Redis, because without one it could
   * not know of the invalidation (docs/protocol).
   */
  async function invalidated(): Promise<void> {
    source = 'new';
    await caches[0]!.invalidate(ORDER);
    for (const cache of caches) expect(await cache.get('orders:another')).toBeUndefined();
  }

  async function neverOldAndUsedAgain(): Promise<void> {
    const answers: string[] = [];
    const until = performance.now() + WATCHED_MS;
    while (performance.now() < until) {
      for (const cache of caches) answers.push(await read(cache));
      await elapse(1); // a hit in the process does not yield to other work
    }
    expect({ old: answers.filter((answer) => answer !== 'new').length }).toEqual({ old: 0 });
    for (const cache of caches) await eventually(() => isHit(cache), { withinMs: 5_000, what: 'a hit' });
  }

  async function isHit(cache: CacheService): Promise<boolean> {
    let outcome: ReadOutcome | undefined;
    expect(await read(cache, (how) => (outcome = how))).toBe('new');
    return outcome === undefined || outcome === 'hit'; // hits in the process report no outcome
  }

  it('[A2] serves nothing old when the database was swapped for a copy (SWAPDB)', async () => {
    await bothHoldOld();
    for (const key of (await command('KEYS', '*')) as string[]) {
      expect(await command('COPY', key, key, 'DB', '1')).toBe(1);
    }
    await invalidated();
    await command('SWAPDB', '0', '1');
    await neverOldAndUsedAgain();
  });

  it('[A2] serves nothing old when a snapshot was loaded into the running server (DEBUG RELOAD NOSAVE)', async () => {
    await bothHoldOld();
    await command('SAVE');
    await invalidated();
    await command('DEBUG', 'RELOAD', 'NOSAVE');
    await neverOldAndUsedAgain();
  });

  it('[A2] serves nothing old when it took the data of a replica that had been promoted by hand, and was promoted again', async () => {
    const replica = await startRedisServer({ args: ARGS });
    others.push(replica);
    await follows(replica, server);
    // The first replica gives a server another replication id, so a new history begins: here, not during the test.
    await caches[1]!.invalidate(record('Nothing', '0'));
    await bothHoldOld();
    await eventually(async () => (await redisCommand(replica.port, 'EXISTS', ...(await entryKeys()))) === 1);
    await redisCommand(replica.port, 'REPLICAOF', 'NO', 'ONE');
    await invalidated();
    await follows(server, replica);
    await command('REPLICAOF', 'NO', 'ONE');
    await neverOldAndUsedAgain();
  });

  async function entryKeys(): Promise<string[]> {
    const keys = (await command('KEYS', `*:e:${KEY}`)) as string[];
    return keys.length > 0 ? keys : ['none'];
  }

  async function follows(replica: RedisServer, primary: RedisServer): Promise<void> {
    await redisCommand(replica.port, 'REPLICAOF', '127.0.0.1', String(primary.port));
    const isLinked = async () => {
      const facts = await redisFacts(replica.port, 'INFO', 'replication');
      return facts.get('master_link_status') === 'up' && facts.get('master_sync_in_progress') === '0';
    };
    await eventually(isLinked, { withinMs: READY_MS, what: 'a replica that has its data' });
  }
});
