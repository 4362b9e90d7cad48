import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { RedisCheckpoints } from '@bff/infra/fleet/redis/redis-checkpoints';
import { RedisConsumerLeases } from '@bff/infra/fleet/redis/redis-consumer-leases';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Refusals } from '@bff/infra/redis/refusals';
import { eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';

describe('[T7] a Redis whose memory is full and that evicts nothing', () => {
  const running = useRedis({ args: ['--maxmemory-policy', 'noeviction'] });
  let appName: string;
  const clients: RedisClient[] = [];
  const caches: CacheService[] = [];
  beforeEach(() => void (appName = `f${randomUUID().slice(0, 8)}`));
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    clients.splice(0).forEach((client) => client.disconnect());
    await running.admin.config('SET', 'maxmemory', '0');
  });

  const connection = () => {
    const client = createRedisClient({ url: running.server.url, commandTimeoutMs: 5000 });
    clients.push(client);
    return client;
  };
  const open = async (redis = connection()) => {
    const cache = createCache({ redis, appName });
    caches.push(cache);
    await cache.open();
    return cache;
  };
  /** Makes Redis refuse commands that may take memory, except in scripts that may exceed its limit. */
  const fill = async () => {
    await running.admin.config('SET', 'maxmemory', '1');
    await expect(running.admin.set('any', 'value')).rejects.toThrow(/^OOM/);
  };

  it.each([
    ['nobody has used before', false],
    ['others use already', true],
  ])('lets a newcomer in that %s, and carries out what it invalidates', async (_, isUsed) => {
    const dependsOn = [record('Order', '1')];
    const old = isUsed ? await open() : undefined;
    await old?.getOrSet('d:k', async () => 'old', { dependsOn });
    await fill();
    const cache = await open();
    expect(cache.state()).toMatchObject({ status: 'up' });
    expect(await cache.invalidate(...dependsOn)).toMatchObject({ dropped: isUsed ? 1 : 0 });
    expect(await cache.getOrSet('d:k', async () => 'new', { dependsOn })).toBe('new');
    if (old) expect(await old.getOrSet('d:k', async () => 'new', { dependsOn })).toBe('new');
  });

  it('lets in again a process whose connection was lost, and says what it refuses', async () => {
    const redis = connection();
    const cache = await open(redis);
    await fill();
    await running.admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => redis.status !== 'ready', { what: 'the loss of the connection' });
    await eventually(() => cache.state().status === 'up', { what: 'the use of the new connection' });
    expect(await cache.invalidate(record('Order', '1'))).toMatchObject({ dropped: 0 });
    expect(await cache.getOrSet('d:k', async () => 'value')).toBe('value');
    expect(Refusals.of(redis).reasons).toEqual([expect.stringMatching(/^a command: OOM /)]);
    await running.admin.config('SET', 'maxmemory', '0');
    await eventually(() => Refusals.of(redis).reasons.length === 0, { what: 'the end of the refusal' });
  });

  it('lets changes of the source be followed: terms are given, and positions saved', async () => {
    const redis = connection();
    await open(redis);
    await fill();
    const term = await new RedisConsumerLeases(redis, appName).acquire('consumer', 'me', 5000);
    if (!term) throw new Error('no term was given');
    const checkpoints = new RedisCheckpoints(redis, appName);
    await checkpoints.save('topic', '7', term);
    expect(await checkpoints.load('topic')).toBe('7');
    expect(await new RedisConsumerLeases(redis, appName).renew(term, 5000, new Map([['feed', 0]]))).toBe(true);
  });
});
