import { describe, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { CacheService } from '../cache/cache.service.js';
import type { RedisClient } from '../redis/redis-client.js';
import { StoreHealth } from './store.health.js';

const config = { redis: { commandTimeoutMs: 50 } };

function health(state: ReturnType<CacheService['state']>, ping: () => Promise<unknown>): StoreHealth {
  const redis = { status: 'ready', ping } as unknown as RedisClient;
  const cache = { state: () => state, directReads: () => ({ hits: 1 }) } as unknown as CacheService;
  return new StoreHealth(new HealthIndicatorService(), cache, redis, config);
}

describe('StoreHealth', () => {
  const pong = () => Promise.resolve('PONG');

  it('is up while the store is', async () => {
    expect(await health({ kind: 'redis', status: 'up' }, pong).check()).toMatchObject({
      redis: { status: 'up', directReads: { hits: 1 } },
    });
  });

  it('is degraded with the reason and what is owed, whether Redis answers or not', async () => {
    const state = { kind: 'redis', status: 'down', reason: '2 invalidations', owedInvalidations: 2 } as const;
    expect(await health(state, pong).check()).toMatchObject({
      redis: {
        status: 'degraded',
        connection: 'up',
        owedInvalidations: 2,
        reason: expect.stringMatching(/^2 invalidations/),
      },
    });
    expect(await health(state, () => new Promise(() => undefined)).check()).toMatchObject({
      redis: {
        status: 'degraded',
        connection: 'down',
        owedInvalidations: 2,
        reason: expect.stringMatching(/no answer/),
      },
    });
  });
});
