import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import type { OnSplit } from '@bff/infra/redis/primary-vouch';
import { elapse, eventually } from '../../support/eventually.js';
import { redisCommand } from '../../support/redis-command.js';
import { startRedisSentinels, type RedisSentinels } from '../../support/redis-sentinels.js';
import type { RedisServer } from '../../support/redis-server.js';

const SLOW_MS = 120_000;
/** How long reads go on after the change was acknowledged on the other side. */
const WATCHED_MS = 4000;
const THING = record('Thing', '1');
const PASSWORD = 'x';

/**
 * A split on one machine: who is on which side connects as a user of that side, and each side does not know the other's.
 * The minority has the primary, the first Sentinel and one process; the majority has the rest.
 */
class Split {
  constructor(
    private readonly group: RedisSentinels,
    private readonly primary: RedisServer,
  ) {}

  private get others(): RedisServer[] {
    return this.group.nodes.filter((node) => node !== this.primary);
  }

  async prepare(): Promise<void> {
    for (const { port } of [...this.group.nodes, ...this.group.sentinels]) {
      for (const user of ['minority', 'majority'])
        await redisCommand(port, 'ACL', 'SETUSER', user, 'on', `>${PASSWORD}`, '+@all', '~*', '&*');
    }
    for (const { port } of this.group.nodes) {
      await redisCommand(port, 'CONFIG', 'SET', 'masteruser', 'majority', 'masterauth', PASSWORD);
    }
    for (const [i, { port }] of this.group.sentinels.entries()) {
      const user = i === 0 ? 'minority' : 'majority';
      await redisCommand(port, 'SENTINEL', 'SET', this.group.name, 'auth-user', user, 'auth-pass', PASSWORD);
      await redisCommand(port, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-user', user);
      await redisCommand(port, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', PASSWORD);
    }
    // Who is refused as his user is the default one, which is left to the test.
    const isNobody = ['default', '-ping', '-publish', '-subscribe'];
    for (const { port } of this.group.sentinels)
      await redisCommand(port, 'ACL', 'SETUSER', ...isNobody, '-sentinel|is-master-down-by-addr', '-sentinel|myid');
    for (const { port } of this.group.nodes) await redisCommand(port, 'ACL', 'SETUSER', ...isNobody, '-psync');
    await this.cutEverybody(['minority', 'majority', 'default']); // who is connected comes back as who he is
    await this.group.waitUntilWhole();
  }

  async begin(): Promise<void> {
    const [first, ...sentinels] = this.group.sentinels as [RedisServer, ...RedisServer[]];
    await Promise.all([
      ...[this.primary, first].map((server) => this.refuse(server, 'majority')),
      ...[...this.others, ...sentinels].map((server) => this.refuse(server, 'minority')),
    ]);
    const [, second] = this.group.sentinels as [RedisServer, RedisServer];
    const isReplaced = async () => {
      const [, port] = (await redisCommand(
        second.port,
        'SENTINEL',
        'GET-MASTER-ADDR-BY-NAME',
        this.group.name,
      )) as string[];
      return Number(port) !== this.primary.port;
    };
    await eventually(isReplaced, { withinMs: 60_000, what: 'another primary' });
  }

  async end(): Promise<void> {
    for (const { port } of [...this.group.nodes, ...this.group.sentinels])
      for (const user of ['minority', 'majority']) await redisCommand(port, 'ACL', 'SETUSER', user, 'on');
  }

  private async refuse({ port }: RedisServer, user: string): Promise<void> {
    await redisCommand(port, 'ACL', 'SETUSER', user, 'off');
    await redisCommand(port, 'CLIENT', 'KILL', 'USER', user);
  }

  private async cutEverybody(users: readonly string[]): Promise<void> {
    for (const { port } of [...this.group.nodes, ...this.group.sentinels])
      for (const user of users) await redisCommand(port, 'CLIENT', 'KILL', 'USER', user);
  }
}

describe('[T5] a split: the minority has the primary', () => {
  let group: RedisSentinels;
  let split: Split | undefined;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => void (group = await startRedisSentinels()), SLOW_MS);
  afterEach(async () => {
    await split?.end();
    await Promise.all(closing.splice(0).map((close) => close()));
  }, SLOW_MS);
  afterAll(() => group.stop(), SLOW_MS);

  function cacheOf(redis: Redis, appName: string, l1: 'off' | 'strict', onSplit: OnSplit): CacheService {
    redis.on('error', () => undefined);
    const cache = createCache({ redis, appName, l1, onSplit });
    closing.push(async () => {
      await cache.close();
      redis.disconnect();
    });
    return cache;
  }

  it.each<['off' | 'strict', OnSplit]>([
    ['off', 'serve'],
    ['strict', 'serve'],
    ['off', 'refuse'],
    ['strict', 'refuse'],
  ])(
    'L1 %s, onSplit %s: refuse reads nothing old and acknowledges nothing there; both are well when it ends',
    async (l1, onSplit) => {
      await group.waitUntilWhole();
      split = new Split(group, await group.currentMaster());
      await split.prepare();
      const appName = `t${randomUUID().slice(0, 8)}`;
      const clientOf = (user: string) =>
        new Redis({
          sentinels: [...group.addresses],
          name: group.name,
          ...{ username: user, password: PASSWORD, sentinelUsername: user, sentinelPassword: PASSWORD },
          ...{ enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: true, commandTimeout: 1000 },
        });
      const minority = cacheOf(clientOf('minority'), appName, l1, onSplit);
      await minority.open();
      let version = 1;
      const fetcher: Fetcher<number> = async ({ dependsOn }) => {
        dependsOn(THING);
        return version;
      };
      const read = () => minority.getOrSet('things:1', fetcher);
      const isCached = async () => (await read()) === 1 && (await minority.get('things:1')) === 1;
      await eventually(isCached, { withinMs: 20_000, what: 'that the value is cached' });
      await split.begin();
      const majority = cacheOf(clientOf('majority'), appName, l1, onSplit);
      await majority.open();
      version = 2;
      const isAcknowledged = () =>
        majority.invalidate(THING).then(
          () => true,
          () => false,
        );
      await eventually(isAcknowledged, { withinMs: 30_000, what: 'the acknowledgement of the majority' });
      const acknowledgedAt = performance.now();
      let old = 0;
      while (performance.now() < acknowledgedAt + WATCHED_MS) {
        if ((await read()) === 1) old++;
        await elapse(1);
      }
      const own = await minority.invalidate(THING).then(
        () => 'acknowledged',
        (error: { code: string }) => error.code,
      );
      // How many `serve` reads is a measurement (docs/operating/redis-promise-by-topology.md), and no promise.
      if (onSplit === 'refuse') expect([old, own]).toEqual([0, 'CACHE_NOT_ACKNOWLEDGED']);
      await split.end();
      await group.waitUntilWhole();
      const isWell = async () =>
        minority.state().status === 'up' && (await minority.invalidate(THING).catch(() => 0)) !== 0;
      await eventually(isWell, { withinMs: 10_000, what: 'that the minority is well again' });
      expect(await read()).toBe(2);
    },
    SLOW_MS,
  );
});
