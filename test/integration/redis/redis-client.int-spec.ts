import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { Redis } from 'ioredis';
import { ConfigModule } from '@bff/modules/config/config.module';
import { loadConfig } from '@bff/modules/config/load-config';
import { createRedisClient, type RedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { pingRedis } from '@bff/infra/redis/redis.health';
import { connectRedis, quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { REDIS_CLIENT, RedisModule } from '@bff/infra/redis/redis.module';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const commandTimeoutMs = 200;

describe('a Redis client against a real server', () => {
  let server: RedisServer;
  const clients: RedisClient[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => quitRedis(client, 500)));
  });
  afterAll(() => server.stop());

  async function connected(options: RedisConnectionOptions = {}): Promise<RedisClient> {
    const client = createRedisClient({ url: server.url, commandTimeoutMs, ...options });
    clients.push(client);
    expect(await connectRedis(client, 5_000)).toBe(true);
    return client;
  }

  it('rejects commands at once while the server is stopped, and works again within a second of its return', async () => {
    const client = await connected();
    await client.set('before', '1');
    await server.kill();
    await eventually(() => client.status !== 'ready');
    const startedAt = performance.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => client.get('before')));
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
    expect(await pingRedis(client, 500)).toMatchObject({ status: 'down' });

    await server.restart();
    const backAt = performance.now();
    await eventually(() => client.status === 'ready');
    expect(performance.now() - backAt).toBeLessThan(1_000);
    expect(await client.get('before')).toBeNull();
    expect(await pingRedis(client, 500)).toMatchObject({ status: 'up' });
  });

  it('rejects within the command time-out while the server hangs, then at once, and works again when it goes on', async () => {
    const client = await connected();
    server.pause();
    try {
      const startedAt = performance.now();
      await expect(client.get('key')).rejects.toThrow('Command timed out');
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThan(commandTimeoutMs - 20);
      expect(tookMs).toBeLessThan(commandTimeoutMs + 300);
      await eventually(() => client.status !== 'ready'); // gives the dead connection up: no command waits in it
      const askedAgainAt = performance.now();
      await expect(client.get('key')).rejects.toThrow();
      expect(performance.now() - askedAgainAt).toBeLessThan(100);
    } finally {
      server.resume();
    }
    await eventually(() => client.status === 'ready');
    expect(await client.set('key', 'value')).toBe('OK');
  });

  it('keeps a connection that was slow: what comes late is a sign of life', async () => {
    const client = await connected();
    let closed = 0;
    client.on('close', () => closed++);
    const { stream: before } = client as Redis;
    const listeners = [before.listenerCount('data'), before.listenerCount('close')];
    server.pause();
    await expect(client.get('key')).rejects.toThrow('Command timed out');
    server.resume();
    await eventually(async () => (await client.ping()) === 'PONG');
    const quietSince = performance.now(); // waits longer than the silence after which a connection is given up
    await eventually(() => performance.now() - quietSince > 1_300);
    expect(await client.set('key', 'value')).toBe('OK');
    expect(closed).toBe(0);
    const { stream } = client as Redis;
    expect([stream.listenerCount('data'), stream.listenerCount('close')]).toEqual(listeners);
  });

  it('reads what came while the process stood still before it calls the connection silent', async () => {
    const client = await connected();
    let closed = 0;
    client.on('close', () => closed++);
    server.pause();
    await expect(client.get('key')).rejects.toThrow('Command timed out');
    server.resume(); // the late reply is on its way; the process stands still for longer than a silence may last
    const stoodStillFrom = performance.now();
    while (performance.now() - stoodStillFrom < 1_300);
    await eventually(async () => (await client.ping()) === 'PONG');
    expect(closed).toBe(0);
  });

  it('[invariant 12] bounds whatever is sent while the server hangs: pipelines, transactions, scripts, the end, and duplicates', async () => {
    const client = (await connected()) as Redis;
    const duplicate = client.duplicate();
    expect(await connectRedis(duplicate, 5_000)).toBe(true);
    client.defineCommand('echoed', { numberOfKeys: 0, lua: 'return ARGV[1]' });
    server.pause();
    try {
      const startedAt = performance.now();
      const pipeline = client.pipeline().get('a').get('b').exec();
      const single = [
        client.multi().get('a').exec(),
        (client as unknown as { echoed(text: string): Promise<string> }).echoed('x'),
        duplicate.ping(),
      ];
      const outcomes = await Promise.allSettled(single);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect((await pipeline)?.map(([error]) => error?.message)).toEqual(['Command timed out', 'Command timed out']);
      await quitRedis(client, 500);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      await eventually(() => client.status === 'end');
    } finally {
      server.resume();
      duplicate.disconnect();
    }
  });

  it('never sends a command a second time after a reconnection', async () => {
    const client = await connected();
    const observer = await connected();
    const increments = Array.from({ length: 50 }, () => client.incr('counter'));
    const outcome = Promise.allSettled(increments);
    (client as unknown as { stream: { destroy(): void } }).stream.destroy();
    const acknowledged = (await outcome).filter(({ status }) => status === 'fulfilled').length;
    await eventually(() => client.status === 'ready');
    const counted = Number((await observer.get('counter')) ?? 0);
    expect(acknowledged).toBeLessThan(50);
    expect(counted).toBeLessThanOrEqual(50);
    expect(await client.incr('counter')).toBe(counted + 1);
  });

  it('starts while the server is away and connects when it comes', async () => {
    await server.kill();
    const client = createRedisClient({ url: server.url });
    clients.push(client);
    expect(await connectRedis(client, 200)).toBe(false);
    await server.restart();
    expect(await connectRedis(client, 5_000)).toBe(true);
  });

  it('never goes on in another database when the one that is asked for does not exist', async () => {
    const client = createRedisClient({ url: `${server.url}/99`, commandTimeoutMs });
    clients.push(client);
    expect(await connectRedis(client, 500)).toBe(false);
    for (let attempt = 0; attempt < 20; attempt++) await expect(client.set('lost', '1')).rejects.toThrow();
    const health = await pingRedis(client, 500);
    expect(health).toMatchObject({
      status: 'down',
      reason: expect.stringMatching(/database 99 of REDIS_URL cannot be used: ERR DB index is out of range/),
    });
    expect(await (await connected()).get('lost')).toBeNull();
  });

  it('says why it is away, and keeps the password to itself', async () => {
    const url = new URL(server.url);
    const client = createRedisClient({ url: `redis://app:p%40ss-word@${url.host}`, commandTimeoutMs });
    clients.push(client);
    const refused = await reasonOf(client);
    expect(refused).toMatch(/WRONGPASS|AUTH/);
    expect(refused).not.toMatch(/p@ss|p%40ss/);
    const nowhere = createRedisClient({ url: 'redis://127.0.0.1:1', commandTimeoutMs });
    clients.push(nowhere);
    expect(await reasonOf(nowhere)).toContain('ECONNREFUSED');
  });

  async function reasonOf(client: RedisClient): Promise<string> {
    await connectRedis(client, 200);
    const health = await pingRedis(client, 500);
    return health.status === 'down' ? health.reason : 'up';
  }

  it('is provided everywhere by the module, and is closed with the application', async () => {
    const moduleFor = (env: Record<string, string>) =>
      Test.createTestingModule({ imports: [ConfigModule.forRoot(loadConfig(env)), RedisModule] }).compile();
    const app = await moduleFor({ REDIS_URL: server.url });
    app.useLogger(false);
    await app.init();
    const client = app.get<RedisClient>(REDIS_CLIENT);
    expect(client.status).toBe('ready');
    await app.close();
    expect(client.status).toBe('end');

    const embedded = await moduleFor({});
    expect(embedded.get(REDIS_CLIENT)).toBeNull();
    await embedded.close();
  });
});
