import { afterEach, describe, expect, it } from '@jest/globals';
import type { Caller } from '@bff/infra/callers/caller';
import type { Limits, Policies, WorkClass } from '@bff/infra/limits/limits';
import { RedisLimits } from '@bff/infra/limits/redis/redis-limits';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { useRedis } from '../../support/redis/use-redis.js';

const POLICIES: Policies = {
  request: { points: 1_000, windowSeconds: 600 },
  fetch: { points: 200, windowSeconds: 600 },
  write: { points: 12, windowSeconds: 600 },
  stream: { points: 12, windowSeconds: 600 },
};
/** A twentieth of 200, as docs/concepts/limits.md says. */
const BLOCK = 10;
const PROCESSES = 4;
/** The share of `fetch` while Redis does not answer. */
const SHARE = 50;
const COMMAND_TIMEOUT_MS = 400;

const running = useRedis();
const connections: RedisClient[] = [];
let apps = 0;
/** Another application each time, so that no test finds the points of another one. */
let app: string;
afterEach(disconnect);

/** The limits of one process. */
async function processOf(name: string, url = running.server.url): Promise<Limits> {
  const redis = createRedisClient({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  connections.push(redis);
  await redis.connect();
  return new RedisLimits(redis, name, POLICIES, PROCESSES);
}

async function processes(count: number): Promise<Limits[]> {
  app = `limits-${++apps}`;
  return Promise.all(Array.from({ length: count }, () => processOf(app)));
}

function disconnect(): void {
  connections.splice(0).forEach((redis) => redis.disconnect());
}

const caller = (account: string): Caller => ({ subject: `user of ${account}`, account });

async function accepted(limits: Limits, work: WorkClass, account: string, times: number): Promise<number> {
  const all = await Promise.allSettled(Array.from({ length: times }, () => limits.charge(work, caller(account))));
  for (const each of all) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'RATE_LIMITED' });
  return all.filter(({ status }) => status === 'fulfilled').length;
}

/** How often the script ran so far. */
async function scriptCalls(): Promise<number> {
  const stats = await running.admin.info('commandstats');
  return Number(/cmdstat_incrby:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe('limits of several processes', () => {
  it('[C2] are one limit, however the charges are spread', async () => {
    const all = await processes(3);
    const counts = await Promise.all(all.map((limits) => accepted(limits, 'fetch', 'a', 100)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(200);
    expect(await accepted(all[0] as Limits, 'fetch', 'a', 1)).toBe(0);
    expect(await accepted(all[0] as Limits, 'fetch', 'b', 1)).toBe(1);
  });

  it('[C2] never give more, and leave at most a block less one in each other process', async () => {
    const [one, ...others] = (await processes(3)) as [Limits, ...Limits[]];
    for (const other of others) expect(await accepted(other, 'fetch', 'a', 1)).toBe(1);
    let count = 0;
    for (let i = 0; i < 250; i++) count += await accepted(one, 'fetch', 'a', 1);
    expect(count).toBe(200 - others.length * BLOCK);
    for (const other of others) expect(await accepted(other, 'fetch', 'a', BLOCK)).toBe(BLOCK - 1);
  });

  it('cost a command for each block, and none once the points are used up', async () => {
    const [limits] = (await processes(1)) as [Limits];
    const before = await scriptCalls();
    for (let i = 0; i < 200; i++) await limits.charge('fetch', caller('a'));
    expect((await scriptCalls()) - before).toBe(200 / BLOCK);
    expect(await accepted(limits, 'fetch', 'a', 1)).toBe(0);
    const after = await scriptCalls();
    for (let i = 0; i < 50; i++) expect(await accepted(limits, 'fetch', 'a', 1)).toBe(0);
    expect(await scriptCalls()).toBe(after);
  });

  it('cost no command for a request', async () => {
    const [limits] = (await processes(1)) as [Limits];
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await running.admin.info('stats'))?.[1]);
    const before = await commands();
    expect(await accepted(limits, 'request', 'a', 1_100)).toBe(1_000);
    expect((await commands()) - before).toBe(1); // the second question itself
  });

  it('leave nothing in Redis that does not expire', async () => {
    const [limits] = (await processes(1)) as [Limits];
    for (const work of ['fetch', 'write', 'stream'] as const) await limits.charge(work, caller('a'));
    const keys = await running.admin.keys(`*${app}*`);
    expect(keys.sort()).toEqual(['fetch:a', 'stream:user of a', 'write:a'].map((key) => `{${app}.limits}:${key}`));
    for (const key of keys) expect(await running.admin.pttl(key)).toBeGreaterThan(0);
  });
});

it('[C2] are one limit on a Cluster, too', async () => {
  const node = await startRedisServer({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
  const root = new Redis(node.url);
  try {
    await root.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const isWhole = async () => (await root.cluster('INFO')).includes('cluster_state:ok');
    await eventually(isWhole, { withinMs: 30_000, what: 'the cluster' });
    const both = [1, 2].map(() =>
      createRedisClient({ clusterNodes: [{ host: '127.0.0.1', port: node.port }], commandTimeoutMs: 10_000 }),
    );
    connections.push(...both);
    await Promise.all(both.map((redis) => redis.connect()));
    const all = both.map((redis) => new RedisLimits(redis, 'cluster', POLICIES, PROCESSES));
    const counts = await Promise.all(all.map((limits) => accepted(limits, 'fetch', 'a', 150)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(200);
    expect(await root.keys('*')).toEqual(['{cluster.limits}:fetch:a']);
  } finally {
    disconnect();
    root.disconnect();
    await node.stop();
  }
});

describe('limits while Redis does not answer', () => {
  let other: RedisServer;
  let limits: Limits;
  const open = async () => {
    other = await startRedisServer();
    limits = await processOf('outage', other.url);
  };
  afterEach(async () => {
    disconnect(); // before its server goes: ioredis waits two seconds for a connection that has ended by itself
    await other.stop();
  });

  type Step = (redis: RedisServer) => Promise<void>;
  it.each<[string, Step, Step]>([
    ['killed', (redis) => redis.kill('SIGKILL'), (redis) => redis.restart()],
    ['hanging', async (redis) => redis.pause(), async (redis) => redis.resume()],
  ])(
    '[C2] %s: are the share of the process, keep nobody waiting, and are those of all again',
    async (_, away, back) => {
      await open();
      expect(await accepted(limits, 'fetch', 'before', 1)).toBe(1);
      await away(other);
      const slowest = { ms: 0 };
      const timed = async (account: string, times: number) => {
        const begin = performance.now();
        const count = await accepted(limits, 'fetch', account, times);
        slowest.ms = Math.max(slowest.ms, performance.now() - begin);
        return count;
      };
      expect(await timed('a', 300)).toBe(SHARE);
      for (let i = 0; i < 20; i++) expect(await timed('a', 5)).toBe(0);
      expect(await timed('b', 300)).toBe(SHARE);
      expect(await timed('before', 300)).toBe(BLOCK - 1 + SHARE); // what it holds of its block is still good
      expect(slowest.ms).toBeLessThan(COMMAND_TIMEOUT_MS);
      await back(other);
      await eventually(async () => (await accepted(limits, 'fetch', 'c', 1)) === 1 && (await isKnown(other, 'c')), {
        what: 'Redis is asked again',
      });
      expect(await accepted(limits, 'fetch', 'd', 300)).toBe(200);
    },
  );

  it('[B1] that refuses the command: are the share of the process, and no error', async () => {
    await open();
    const root = new Redis(other.url);
    await root.acl('SETUSER', 'bff', 'on', '>password', '~*', '&*', '+@all', '-incrby');
    const refused = await processOf('refused', other.url.replace('127.0.0.1', 'bff:password@127.0.0.1'));
    expect(await accepted(refused, 'fetch', 'a', 300)).toBe(SHARE);
    await root.acl('SETUSER', 'bff', '+incrby');
    let payers = 0;
    const isWhole = async () => (await accepted(refused, 'fetch', `payer ${++payers}`, 300)) === 200;
    await eventually(isWhole, { what: 'Redis is asked again' });
    root.disconnect();
  });
});

async function isKnown(redis: RedisServer, payer: string): Promise<boolean> {
  const client = new Redis(redis.url);
  try {
    return (await client.exists(`{outage.limits}:fetch:${payer}`)) === 1;
  } finally {
    client.disconnect();
  }
}
