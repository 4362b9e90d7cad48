import { describe, expect, it } from '@jest/globals';
import { record } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../support/counting-source.js';
import { openDeafenableCache } from '../support/cache/deafenable-cache.js';
import { elapse } from '../support/eventually.js';
import { useRedis } from '../support/redis/use-redis.js';

describe('a gate that is born while an invalidation waits for acknowledgements', () => {
  const redis = useRedis();

  const strictCache = () => openDeafenableCache(redis.server.url, 'gate');

  it('has lost its members, not their leases: nobody is taken for settled because it is not listed', async () => {
    for (let round = 0; round < 3; round++) {
      await redis.admin.flushall();
      const [reader, writer] = [await strictCache(), await strictCache()];
      try {
        const source = new CountingSource('old', [record('Thing', '1')]);
        await writer.cache.invalidate(record('Thing', '1')); // waits until the gate is older than a lease
        await reader.cache.getOrSet('things:1', source.fetch);
        expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('old');
        await elapse(300); // more than a beat: the reader has just renewed its lease, and the writer knows the gate
        reader.deafen();
        source.value = 'new';
        const acknowledged = writer.cache.invalidate(record('Thing', '1'));
        await elapse(5);
        await redis.admin.flushall();
        await acknowledged;
        expect(await reader.cache.getOrSet('things:1', source.fetch)).toBe('new');
      } finally {
        await Promise.all([reader.close(), writer.close()]);
      }
    }
  });
});
