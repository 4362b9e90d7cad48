import { describe, expect, it } from '@jest/globals';
import RedisMock from 'ioredis-mock';
import type { RedisClient } from '../redis-client.js';
import { pingRedis } from '../redis.health.js';
import { bounded, connectRedis, quitRedis } from './redis-lifetime.js';

describe('the life of a Redis client', () => {
  it('reports up when a ping is answered', async () => {
    const client = new RedisMock();
    const health = await pingRedis(client, 1_000);
    expect(health.status).toBe('up');
    expect(health.latencyMs).toBeLessThan(1_000);
    await quitRedis(client, 1_000);
  });

  it('does not connect twice', async () => {
    const ready = { status: 'ready', connect: () => Promise.reject(new Error('twice')) } as unknown as RedisClient;
    expect(await connectRedis(ready, 10)).toBe(true);
  });

  it('reports down with the reason when a ping fails or hangs', async () => {
    const failing = { status: 'ready', ping: () => Promise.reject(new Error('LOADING')) } as unknown as RedisClient;
    expect(await pingRedis(failing, 1_000)).toMatchObject({ status: 'down', reason: 'LOADING' });
    const hanging = { status: 'ready', ping: () => new Promise(() => undefined) } as unknown as RedisClient;
    expect(await pingRedis(hanging, 10)).toMatchObject({ status: 'down', reason: 'no answer within 10 ms' });
    const away = { status: 'reconnecting', ping: () => Promise.reject(new Error('x')) } as unknown as RedisClient;
    expect(await pingRedis(away, 10)).toMatchObject({ status: 'down', reason: 'not connected (reconnecting)' });
  });

  it('[invariant 12] disconnects when quit is not answered in time', async () => {
    let disconnected = false;
    const hanging = {
      status: 'ready',
      once: () => undefined,
      quit: () => new Promise(() => undefined),
      disconnect: () => (disconnected = true),
    } as unknown as RedisClient;
    await quitRedis(hanging, 10);
    expect(disconnected).toBe(true);
  });

  it('passes on a result or a failure that comes in time', async () => {
    await expect(bounded(Promise.resolve(1), 1_000, 2)).resolves.toBe(1);
    await expect(bounded(Promise.reject(new Error('no')), 1_000, 2)).rejects.toThrow('no');
  });
});
