import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, MaybeStale } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { namespace } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';

class RecommendationsCache extends DomainCache {
  private readonly byProduct = this.bucket<string[]>('product', {
    strategy: ttl(300),
    stale: { whileRevalidateSeconds: 60, ifErrorSeconds: 3600 },
    softTimeoutMs: 300,
  });

  constructor(cache: CacheService) {
    super('recommendations', cache);
  }

  forProduct(product: string, fetcher: Fetcher<string[]>): Promise<MaybeStale<string[]>> {
    return this.byProduct.getAllowingStale([product], fetcher);
  }

  drop() {
    return this.invalidate(namespace('recommendations'));
  }
}

describe('stale values', () => {
  let cache: CacheService;
  beforeEach(() => {
    cache = createCache();
  });
  afterEach(() => cache.close());

  it('come at once while one build runs, marked', async () => {
    const recommendations = new RecommendationsCache(cache);
    const answers: MaybeStale<string[]>[] = [];
    answers.push(await recommendations.forProduct('p1', async () => ['p2']));
    await recommendations.drop();
    let built = 0;
    const fetcher = async () => (built++, ['p3']);
    answers.push(await recommendations.forProduct('p1', fetcher));
    expect(answers).toMatchObject([
      { value: ['p2'], isStale: false },
      { value: ['p2'], isStale: true },
    ]);
    await eventually(async () => !(await recommendations.forProduct('p1', fetcher)).isStale);
    expect(built).toBe(1);
    expect((await recommendations.metrics()).buckets.product).toMatchObject({ refreshes: 1, misses: 1 });
  });

  it('take the place of an error, without a bucket', async () => {
    let isDown = false;
    const fetchRates = async () => {
      if (isDown) throw new Error('down');
      return { EUR: 1 };
    };
    const read = () =>
      cache.getOrSetAllowingStale('rates:today', fetchRates, { ttlSeconds: 60, stale: { ifErrorSeconds: 3600 } });
    expect(await read()).toEqual({ value: { EUR: 1 }, isStale: false });
    isDown = true;
    await cache.invalidate(namespace('rates'));
    expect(await read()).toMatchObject({ value: { EUR: 1 }, isStale: true });
    await expect(cache.getOrSet('rates:today', fetchRates, { ttlSeconds: 60 })).rejects.toThrow('down');
  });
});
