import { afterEach, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import type { BoundedCluster } from './connecting/bounded-cluster.js';
import type { BoundedRedis } from './connecting/bounded-redis.js';
import { commandTimeoutOf, createRedisClient, isRedisConfigured, type RedisClient } from './redis-client.js';

describe('createRedisClient', () => {
  const opened: RedisClient[] = [];
  const track = <T extends RedisClient>(client: T): T => {
    opened.push(client);
    return client;
  };
  afterEach(() => opened.splice(0).forEach((client) => client.disconnect()));

  it('fails fast by default: no queue, no resend, no retry of a command, bounded waiting', () => {
    const client = track(createRedisClient({ url: 'redis://127.0.0.1:6379/3' })) as BoundedRedis;
    expect(client.status).toBe('wait');
    expect(client.options).toMatchObject({
      host: '127.0.0.1',
      db: 3,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: 2_000,
    });
    expect(client.patience).toEqual({ commandTimeoutMs: 200, silenceMs: 1_000 });
    expect(commandTimeoutOf(client)).toBe(200);
    expect(client.options.tls).toBeFalsy();
  });

  it.each(['redis://app:50%hunter@127.0.0.1', 'redis://127.0.0.1?password=hunter', 'hunter'])(
    '[B11] refuses a URL that cannot be used, without showing it: %s',
    (url) => {
      let told: unknown;
      try {
        track(createRedisClient({ url }));
      } catch (error) {
        told = error;
      }
      expect(told).toMatchObject({ name: 'TypeError', message: expect.stringMatching(/^The URL of Redis .*%25/) });
      expect(String((told as Error).stack)).not.toContain('hunter');
    },
  );

  it('takes user, password and TLS from a rediss:// URL', () => {
    const client = track(
      createRedisClient({ url: 'rediss://app:p%40ss@redis.example:6380', commandTimeoutMs: 500 }),
    ) as BoundedRedis;
    expect(client.options).toMatchObject({ host: 'redis.example', port: 6380, username: 'app', password: 'p@ss' });
    expect(client.options.tls).toBeTruthy();
    expect(client.patience).toEqual({ commandTimeoutMs: 500, silenceMs: 2_500 });
  });

  it('asks the Sentinels for the primary that they watch', () => {
    const client = track(
      createRedisClient({
        sentinels: [{ host: '127.0.0.1', port: 1 }],
        sentinelName: 'main',
        password: 'secret',
        tls: true,
      }),
    ) as Redis;
    expect(client.options).toMatchObject({ password: 'secret', tls: {}, enableOfflineQueue: false });
    expect(client.options.Connector?.name).toBe('SentinelConnector');
  });

  it('makes a cluster client whose nodes have the same bounds', () => {
    const client = track(createRedisClient({ clusterNodes: [{ host: '127.0.0.1', port: 1 }], commandTimeoutMs: 300 }));
    expect(client).toBeInstanceOf(Cluster);
    expect((client as Cluster).options).toMatchObject({
      lazyConnect: true,
      enableOfflineQueue: false,
      redisOptions: { socketTimeout: 1_500, maxRetriesPerRequest: 0 },
    });
    expect((client as BoundedCluster).patience).toMatchObject({ commandTimeoutMs: 300, connectTimeoutMs: 2_000 });
    expect(commandTimeoutOf(client)).toBe(300);
  });

  it('says what is missing when no place is named', () => {
    expect(() => createRedisClient({})).toThrow('give url, or sentinels with sentinelName, or clusterNodes');
    expect(isRedisConfigured({})).toBe(false);
    expect(isRedisConfigured({ url: 'redis://x' })).toBe(true);
    expect(isRedisConfigured({ sentinels: [] })).toBe(true);
    expect(isRedisConfigured({ clusterNodes: [] })).toBe(true);
  });
});
