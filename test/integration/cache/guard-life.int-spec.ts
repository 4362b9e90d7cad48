import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCache } from '@bff/infra/cache/create-cache';
import { RedisConsumerLeases } from '@bff/infra/fleet/redis/redis-consumer-leases';
import { RedisGuard } from '@bff/infra/cache/store/redis/connection/redis-guard';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { elapse, eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';

/**
 * How long the connection is away: longer than the pause after which a guard checks a refused server again (250 ms), so
 * that the guard checks meanwhile.
 */
const AWAY_MS = 600;

describe('the guards of one connection', () => {
  const running = useRedis();
  let redis: RedisClient;
  let appName: string;
  beforeEach(async () => {
    appName = `g${randomUUID().slice(0, 8)}`;
    redis = createRedisClient({ url: running.server.url, commandTimeoutMs: 5000 });
    await redis.connect();
  });
  afterEach(() => redis.disconnect());

  it('leases are granted again by a primary that was a replica while the connection was away', async () => {
    const leases = new RedisConsumerLeases(redis, appName);
    await running.admin.replicaof('127.0.0.1', 1); // there is no master at that port: it only becomes a replica
    await expect(leases.acquire('consumer', 'me', 1000)).rejects.toThrow(/READONLY/);
    redis.disconnect();
    await elapse(AWAY_MS);
    await running.admin.replicaof('NO', 'ONE');
    await redis.connect();
    await eventually(
      () =>
        leases.acquire('consumer', 'me', 1000).then(
          (term) => term !== undefined,
          () => false,
        ),
      { what: 'a lease' },
    );
  });

  it('caches that were closed leave nothing on it, and examine no server any more', async () => {
    const listeners = () => Object.fromEntries(redis.eventNames().map((name) => [name, redis.listenerCount(name)]));
    const before = listeners();
    for (let i = 0; i < 3; i++) {
      const cache = createCache({ redis, appName });
      await cache.open();
      await cache.set('d:k', i);
      await cache.close();
    }
    expect(listeners()).toEqual(before);
    await running.admin.config('RESETSTAT');
    const isBack = once(redis, 'ready');
    await running.admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await isBack;
    await elapse(AWAY_MS);
    const sent = await running.admin.info('commandstats');
    expect(sent).not.toMatch(/cmdstat_(setnx|evalsha)/);
  });

  it('errors of the server show no key and no value', async () => {
    const guard = new RedisGuard(redis);
    await guard.open();
    await redis.set('key-of-a-customer', 'text');
    const commands = [
      () => redis.lpush('key-of-a-customer', 'value-of-a-customer'),
      () => redis.call('NOSUCHCOMMAND', 'key-of-a-customer', 'value-of-a-customer'),
      () => redis.eval('return redis.call("LPUSH", KEYS[1], ARGV[1])', 1, 'key-of-a-customer', 'value-of-a-customer'),
      () => redis.eval('return ARGV[1] + 1', 0, 'value-of-a-customer'),
    ];
    for (const command of commands) {
      const error = await guard.run(command).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { showHidden: true, depth: Infinity }) + JSON.stringify(error)).not.toContain(
        'of-a-customer',
      );
    }
  });
});
