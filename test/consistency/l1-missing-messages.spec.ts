import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { record } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../support/counting-source.js';
import { openDeafenableCache, type DeafenableCache } from '../support/cache/deafenable-cache.js';
import { elapse, eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis/use-redis.js';

const THING = record('Thing', '1');

describe('an L1 whose messages do not come', () => {
  const redis = useRedis();
  let caches: DeafenableCache[];
  let source: CountingSource<string>;

  beforeEach(async () => {
    caches = [];
    source = new CountingSource('old', [THING]);
    await redis.admin.flushall();
  });
  afterEach(() => Promise.all(caches.map((cache) => cache.close())));

  async function strictCache(): Promise<DeafenableCache> {
    const opened = await openDeafenableCache(redis.server.url, 'deaf');
    caches.push(opened);
    return opened;
  }

  it('does not keep what its own read brought while this process invalidated it', async () => {
    const [reader, writer] = [await strictCache(), await strictCache()];
    await reader.cache.invalidate(THING); // waits for the gate to be older than a lease; later ones do not
    await writer.cache.getOrSet('things:1', source.fetch); // puts the value into Redis, not into the reader
    await writer.cache.close(); // so the reader's invalidation waits for no L1 and ends within the reader's lease
    await elapse(100);
    reader.deafen();
    const reading = reader.cache.getOrSet('things:1', source.fetch); // answered once the L1 is cleared
    source.value = 'new';
    await Promise.all([reading, reader.cache.invalidate(THING)]);
    expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
  });

  it('is waited for by a process that finds an empty Redis, although that knows no members', async () => {
    const reader = await strictCache();
    await reader.cache.invalidate(THING);
    await reader.cache.getOrSet('things:1', source.fetch);
    await elapse(300); // more than a beat, so the reader has just renewed its lease
    reader.deafen();
    const writer = await strictCache();
    source.value = 'new';
    await elapse(100);
    await redis.admin.flushall();
    await writer.cache.invalidate(THING);
    expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
  });

  it('[D1] is waited for by a caller that a forced build of another process answers', async () => {
    const [reader, builder, waiter] = [await strictCache(), await strictCache(), await strictCache()];
    await builder.cache.invalidate(THING); // waits until the gate is older than a lease, so that the build need not
    await reader.cache.getOrSet('things:1', source.fetch);
    await elapse(600);
    await reader.cache.getOrSet('things:1', source.fetch);
    reader.deafen();
    source.value = 'new';
    let isFetching = false;
    const fetchSlowly = async () => {
      isFetching = true;
      await elapse(100);
      return source.value;
    };
    const young = { maxAgeSeconds: 0.5, dependsOn: [THING] };
    const building = builder.cache.getOrSet('things:1', fetchSlowly, young);
    await eventually(() => isFetching, { what: 'a fetch' });
    expect(await waiter.cache.getOrSet('things:1', () => Promise.reject(new Error('not fetched here')), young)).toBe(
      'new',
    );
    expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
    await building;
  });
});
