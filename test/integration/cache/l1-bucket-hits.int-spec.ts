import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, sliding, ttl } from '@bff/infra/cache/strategies';
import { eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';

class Things extends DomainCache {
  version = 0;
  readonly byId = this.bucket<string, [id: string]>('byId', {
    strategy: changeDriven(),
    load: ([id], { dependsOn }) => {
      dependsOn(record('Thing', id));
      return this.load();
    },
  });
  readonly brief = this.bucket<string, [id: string]>('brief', { strategy: ttl(0.3), load: () => this.load() });
  readonly asked = this.bucket<string, [id: string]>('asked', { strategy: sliding(0.6), load: () => this.load() });

  constructor(cache: CacheService) {
    super('things', cache);
  }

  private load(): Promise<string> {
    return Promise.resolve(`v${this.version}`);
  }
}

describe('hits of a bucket in the L1', () => {
  const redis = useRedis();
  let cache: CacheService;
  let other: CacheService;
  let things: Things;
  let app = 0;
  beforeEach(async () => {
    const options = { redisUrl: redis.server.url, appName: `bucket-hits-${app++}`, commandTimeoutMs: 5000 } as const;
    [cache, other] = [createCache(options), createCache(options)];
    await Promise.all([cache.open(), other.open()]);
    things = new Things(cache);
  });
  afterEach(() => Promise.all([cache.close(), other.close()]));

  type Named = 'byId' | 'brief' | 'asked';
  /** Reads until two reads in one turn get the same promise: that of the L1. */
  const isInL1 = (name: Named, id: string) =>
    eventually(
      async () => {
        await things[name].get([id]);
        return things[name].get([id]) === things[name].get([id]);
      },
      { what: `an L1 hit of ${name} ${id}` },
    );

  it('share one promise, and each counts', async () => {
    await isInL1('byId', '1');
    const { hits, misses } = things.byId.metrics;
    await Promise.all([things.byId.get(['1']), things.byId.get(['1'], () => Promise.reject(new Error('not asked')))]);
    expect(things.byId.metrics).toMatchObject({ hits: hits + 2, misses });
  });

  it('[J15] end with an acknowledged invalidation of any process, however often the id was read before', async () => {
    for (const end of [
      () => other.invalidate(record('Thing', '1')),
      () => cache.invalidate(record('Thing', '1')),
      () => other.del(things.byId.key(['1'])),
    ]) {
      await isInL1('byId', '1');
      things.version++;
      await end();
      expect(await things.byId.get(['1'])).toBe(`v${things.version}`);
    }
  });

  it('end with the TTL', async () => {
    await isInL1('brief', '1');
    things.version++;
    await eventually(async () => (await things.brief.get(['1'])) === 'v1', { what: 'the value after the TTL' });
  });

  it('move a sliding end, so that an entry that is asked for stays', async () => {
    await isInL1('asked', '1');
    things.version++;
    const end = performance.now() + 2000; // more than three times as long as the entry lives without hits
    const values = new Set<string>();
    await eventually(
      async () => {
        values.add(await things.asked.get(['1']));
        return performance.now() > end;
      },
      { what: 'two seconds of hits' },
    );
    expect([...values]).toEqual(['v0']);
  });

  it('are refused once the cache is closed', async () => {
    await isInL1('byId', '1');
    await cache.close();
    await expect(things.byId.get(['1'])).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
  });

  it('reject for an id that makes no key, and count it as an error', async () => {
    await expect(things.byId.get(['\ud800'])).rejects.toMatchObject({ code: 'CACHE_INVALID_KEY' });
    expect(things.byId.metrics.errors).toBe(1);
  });
});
