import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { MemoryProcessReports } from '@bff/infra/cache/store/memory/memory-process-reports';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { ValueCodec } from '@bff/infra/cache/values/value-codec';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import { CountingSource } from '../support/counting-source.js';
import { elapse } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';

/** A process' cache. Deafened, it holds its leases, reads and invalidates as before, but the bus tells it nothing. */
interface StrictCache {
  readonly cache: CacheService;
  deafen(): void;
}

const THING = record('Thing', '1');

describe('an L1 whose messages do not come', () => {
  let server: RedisServer;
  let admin: Redis;
  let closings: (() => Promise<void>)[];
  let source: CountingSource<string>;

  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    closings = [];
    source = new CountingSource('old', [THING]);
    await admin.flushall();
  });
  afterEach(() => Promise.all(closings.map((close) => close())));

  async function strictCache(): Promise<StrictCache> {
    const redis = createRedisClient({ url: server.url, commandTimeoutMs: 5000 });
    const codec = new ValueCodec(undefined);
    const l1 = { mode: 'strict', codec, maxBytes: 1e6, maxEntries: 100, shouldFreeze: true } as const;
    const store = new RedisCacheStore({ redis, appName: 'deaf', l1 });
    const defaults = { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined };
    const reports = new MemoryProcessReports();
    const cache = new CacheService({ store, codec, reports, defaults, bypassConcurrency: 8 });
    await cache.open();
    // The only way to hold up one process' messages, and nothing else of it, is at its socket.
    const { stream } = (store as unknown as { bus: { subscriber: { stream: Socket } } }).bus.subscriber;
    closings.push(async () => {
      stream.resume(); // a held-up socket never ends, and this process with it
      await cache.close();
      redis.disconnect();
    });
    return { cache, deafen: () => void stream.pause() };
  }

  it('does not keep what its own read brought while this process invalidated it', async () => {
    const [reader, writer] = [await strictCache(), await strictCache()];
    await reader.cache.invalidate(THING); // the reader has known the gate for a lease when this resolves
    await writer.cache.getOrSet('things:1', source.fetch); // in Redis, not in the reader
    await writer.cache.close(); // now the reader has nobody to wait for: all happens within its lease
    await elapse(100);
    reader.deafen();
    const reading = reader.cache.getOrSet('things:1', source.fetch); // answered after the L1 was cleared for the first time
    source.value = 'new';
    await Promise.all([reading, reader.cache.invalidate(THING)]);
    expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
  });

  it('is waited for by a process that finds an empty Redis, although that knows no members', async () => {
    const reader = await strictCache();
    await reader.cache.invalidate(THING);
    await reader.cache.getOrSet('things:1', source.fetch);
    await elapse(300); // it has just asked for its lease
    reader.deafen();
    const writer = await strictCache();
    source.value = 'new';
    await elapse(100);
    await admin.flushall();
    await writer.cache.invalidate(THING);
    expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
  });
});
