import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { record } from '@bff/infra/cache/dependencies';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { RedisCheckpoints } from '@bff/infra/fleet/redis/redis-checkpoints';
import { RedisConsumerLeases } from '@bff/infra/fleet/redis/redis-consumer-leases';
import { RedisProcessReports } from '@bff/infra/fleet/redis/redis-process-reports';
import {
  defineScripts,
  runScript,
  type ScriptArgument,
  type ScriptName,
} from '@bff/infra/cache/store/redis/partition/scripts';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { describeCacheStore } from './cache-store.contract.js';
import { describeCheckpoints } from './checkpoints.contract.js';
import { describeConsumerLeases } from './consumer-leases.contract.js';
import { describeProcessReports, describeSharedProcessReports } from './process-reports.contract.js';
import { connectRedis, createRedisStores } from './redis-under-test.js';
import { eventuallySeen, put, startBuild, text } from './store-under-test.js';

let server: RedisServer;
const connections: RedisClient[] = [];
/** Everything that a test of this file has opened. It is closed after the test, also if that failed. */
const opened: { close(): Promise<void> }[] = [];

function closing<T extends { close(): Promise<void> }>(what: T): T {
  opened.push(what);
  return what;
}

async function connect(): Promise<RedisClient> {
  const redis = await connectRedis(server);
  connections.push(redis);
  return redis;
}

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(async () => {
  for (const what of opened.splice(0).reverse()) await what.close(); // the last one first: connections before their server
});
afterAll(async () => {
  await Promise.all(connections.map((redis) => redis.quit()));
  await server.stop();
});

const runner = { describe, it, afterEach };
describeCacheStore('Redis, one partition', (settings) => createRedisStores(server, 1, settings), runner);
describeCacheStore('Redis, three partitions', (settings) => createRedisStores(server, 3, settings), runner);

describeCheckpoints('Redis', async () => {
  const checkpoints = new RedisCheckpoints(await connect(), `contract-${randomUUID()}`);
  return { checkpoints, close: async () => undefined };
});

describeConsumerLeases('Redis', async () => {
  const appName = `contract-${randomUUID()}`;
  const leases = new RedisConsumerLeases(await connect(), appName);
  return { leases, checkpoints: new RedisCheckpoints(await connect(), appName) };
});

const REPORTS = `contract-${randomUUID()}`;
const joinReports = async (processId: string) => new RedisProcessReports(await connect(), REPORTS, processId);
describeProcessReports('Redis', joinReports);
describeSharedProcessReports('Redis', joinReports);

it('lets the report of a process that died without a word expire within ten seconds', async () => {
  const redis = await connect();
  const reports = closing(await joinReports('short-lived'));
  reports.publish('dying', () => 'last words');
  const left = await eventuallySeen(
    () => redis.pttl(`{${REPORTS}.reports}:dying:short-lived`),
    (ms) => ms > 0,
  );
  expect(left).toBeLessThanOrEqual(10_000);
});

it('keeps a bounded number of tips and dependencies, however often the same ones are invalidated', async () => {
  const redis = await connect();
  const appName = `contract-${randomUUID()}`;
  const store = closing(new RedisCacheStore({ redis, appName, partitions: 1, windowMax: 20 }));
  await store.open();
  const build = await startBuild(store, 'k');
  for (let i = 0; i < 200; i += 1) await store.invalidate([record('Order', String(i % 50))]);
  const tag = `{${appName}.v2.P1:0}`;
  expect(await redis.zcard(`${tag}:tz`)).toBeLessThanOrEqual(20);
  expect(await redis.zcard(`${tag}:iv`)).toBeLessThanOrEqual(20);
  expect(await build.commit('v')).toBe('lost');
});

it('removes an L1 that said nothing from the members, but not in a history that began after it was asked', async () => {
  const redis = await connect();
  defineScripts(redis);
  const tag = `{contract-${randomUUID()}.v2.P1:0}`;
  const run = async (name: ScriptName, ...args: readonly ScriptArgument[]) =>
    ((await runScript(redis, name, `${tag}:g`, [tag, ...args])) as unknown[]).map(String);
  const nothing = ['-1', '', '']; // the caller remembers no history
  const join = async (history: number) => {
    await run('adopt', randomUUID(), history, ...nothing);
    return run('beat', ...nothing, 'silent', '-1', '', '1', randomUUID());
  };
  /** The clock, the members and the birth in the reply to an invalidation. */
  const invalidate = async () => {
    const args = [...nothing, randomUUID(), 100, 100, 'rq', '', 'r:Order:1'];
    const [, gate = '', , , , members] = await run('invalidate', ...args);
    return { clock: Number(gate.split(' ')[0]), members, birth: gate.split(' ')[4] };
  };
  const evict = ({ clock, birth = '' }: { clock: number; birth: string | undefined }) =>
    run('pend', clock, '1', randomUUID(), birth, 'silent');

  await join(1);
  await invalidate();
  const before = await invalidate();
  expect(before).toMatchObject({ members: 'silent', birth: '1' });
  await redis.unlink(await redis.keys(`${tag}:*`));
  await join(2); // at an earlier clock than the invalidation's, but born later
  expect(await evict(before)).toEqual(['OK', '2', 'silent']);
  const after = await invalidate();
  expect(after).toMatchObject({ members: 'silent', birth: '2' }); // the member of before is still waited for
  expect(await evict(after)).toEqual(['OK', '2']);
  expect((await invalidate()).members).toBe('');
});

it('changes nothing in a script that receives another number of arguments than it names', async () => {
  const redis = await connect();
  defineScripts(redis);
  const tag = `{contract-${randomUUID()}.v2.P1:0}`;
  const run = (name: ScriptName, ...args: readonly ScriptArgument[]) =>
    runScript(redis, name, `${tag}:g`, [tag, ...args]);
  await run('adopt', randomUUID(), 1, '-1', '', '');
  const before = await redis.keys(`${tag}:*`);
  await expect(run('begin', 'orders:1', 'lease')).rejects.toThrow('takes 5 arguments and knownDep..., not 3');
  await expect(run('peek', 'orders:1', 'more')).rejects.toThrow('takes 2 arguments, not 3');
  expect(await redis.keys(`${tag}:*`)).toEqual(before);
});

describe('RedisCacheStore on a server that goes away', () => {
  async function startOwn(args: readonly string[] = []): Promise<RedisServer> {
    const own = await startRedisServer({ args });
    closing({ close: () => own.stop() });
    return own;
  }

  it('[invariant 17] rejects while the server is away, and neither serves nor stores the old history after an empty restart', async () => {
    const own = await startOwn();
    const { store } = closing(await createRedisStores(own, 1));
    await put(store, 'orders:a', 'before', [record('Order', '1')]);
    const build = await startBuild(store, 'orders:b');
    await own.kill();
    await eventuallySeen(
      () => store.state().status,
      (status) => status === 'down',
    );
    const unavailable = { code: 'CACHE_STORE_UNAVAILABLE', retryable: true };
    await expect(store.read('orders:a')).rejects.toMatchObject(unavailable);
    await expect(store.invalidate([record('Order', '1')])).rejects.toMatchObject(unavailable);
    await expect(build.commit('v')).rejects.toMatchObject(unavailable);
    await own.restart();
    await eventuallySeen(
      () => store.state().status,
      (status) => status === 'up',
    );
    expect(await build.commit('v')).toBe('lost');
    expect(await text(store, 'orders:a')).toBeUndefined();
    await put(store, 'orders:a', 'after', [record('Order', '1')]);
    expect(await store.invalidate([record('Order', '1')])).toEqual({ dropped: 1, keys: ['orders:a'], deferred: 0 });
  });

  it('refuses a server that may evict the index', async () => {
    const own = await startOwn(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
    const redis = await connectRedis(own);
    closing({ close: async () => redis.disconnect() });
    const store = closing(new RedisCacheStore({ redis, appName: 'contract', partitions: 1 }));
    await expect(store.open()).rejects.toMatchObject({ code: 'CACHE_STORE_UNSUITABLE', retryable: false });
  });
});
