import { describe, expect, it } from '@jest/globals';
import { CacheService } from '@bff/infra/cache/cache.service';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { loadConfig } from '@bff/modules/config/load-config';
import { RuntimeModule } from '@bff/modules/runtime/runtime.module';
import { NestFactory } from '@nestjs/core';
import { eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';

class ThingsCache extends DomainCache {
  readonly things = this.bucket<string>('things', { strategy: ttl(60) });

  constructor(cache: CacheService) {
    super('things', cache);
  }

  drop(id: string): Promise<Invalidation> {
    return this.invalidate(this.things.entry([id]));
  }
}

describe('the cache and the fleet of a process', () => {
  const redis = useRedis();

  const start = () => {
    const config = loadConfig({ NODE_ENV: 'test', REDIS_URL: redis.server.url });
    return NestFactory.createApplicationContext(RuntimeModule.forConfig(config), { logger: false });
  };
  const published = () => redis.admin.keys('{evergreen.reports}:domain:things:*');

  it('[P23] [N9] add up the counters of all processes, those that have ended included, and take their reports down', async () => {
    const [one, two] = [await start(), await start()];
    try {
      const [things, others] = [new ThingsCache(one.get(CacheService)), new ThingsCache(two.get(CacheService))];
      await things.things.get(['1'], async () => 'value');
      await others.things.get(['1'], async () => 'value');
      await others.drop('1');
      for (const each of [things, others]) {
        await eventually(
          async () => {
            const { processes, buckets, invalidations } = await each.metrics();
            const { hits, misses } = buckets['things'] ?? {};
            return processes === 2 && hits === 1 && misses === 1 && invalidations === 1;
          },
          { what: 'the counters of both' },
        );
      }
      expect(await published()).toHaveLength(2);
      await two.close();
      expect(await published()).toHaveLength(1);
      expect(await things.metrics()).toMatchObject({
        processes: 1,
        invalidations: 1,
        buckets: { things: { hits: 1, misses: 1 } },
      });
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
    expect(await published()).toEqual([]);
  });
});
