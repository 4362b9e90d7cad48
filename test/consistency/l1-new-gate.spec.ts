import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { MemoryProcessReports } from '@bff/infra/cache/store/memory/memory-process-reports';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { ValueCodec } from '@bff/infra/cache/values/value-codec';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import { CountingSource } from '../support/counting-source.js';
import { elapse } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';

describe('a gate that is born while an invalidation waits for acknowledgements', () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  async function strictCache(): Promise<{ cache: CacheService; redis: RedisClient; deafen: () => void }> {
    const redis = createRedisClient({ url: server.url, commandTimeoutMs: 5000 });
    const codec = new ValueCodec(undefined);
    const l1 = { mode: 'strict', codec, maxBytes: 1e6, maxEntries: 100, shouldFreeze: true } as const;
    const store = new RedisCacheStore({ redis, appName: 'gate', l1 });
    const defaults = { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined };
    const cache = new CacheService({
      store,
      codec,
      reports: new MemoryProcessReports(),
      defaults,
      bypassConcurrency: 8,
    });
    await cache.open();
    // The only way to hold up one process' messages, and nothing else of it, is at its socket.
    const { subscriber } = (store as unknown as { bus: { subscriber: { stream: { pause(): void } } } }).bus;
    return { cache, redis, deafen: () => subscriber.stream.pause() };
  }

  it('has lost its members, not their leases: nobody is taken for settled because it is not listed', async () => {
    for (let round = 0; round < 3; round++) {
      await admin.flushall();
      const [reader, writer] = [await strictCache(), await strictCache()];
      try {
        const source = new CountingSource('old', [record('Thing', '1')]);
        await writer.cache.invalidate(record('Thing', '1')); // the gate has come of age when this resolves
        await reader.cache.getOrSet('things:1', source.fetch);
        expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('old');
        await elapse(300); // the reader has just asked for its lease, and the writer knows the gate
        reader.deafen();
        source.value = 'new';
        const acknowledged = writer.cache.invalidate(record('Thing', '1'));
        await elapse(5);
        await admin.flushall();
        await acknowledged;
        expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
      } finally {
        await Promise.all([reader, writer].map(({ cache }) => cache.close()));
        [reader, writer].forEach(({ redis }) => redis.disconnect());
      }
    }
  });
});
