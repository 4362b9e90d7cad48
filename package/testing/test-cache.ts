import type { CacheService } from '../../libs/infra/src/cache/cache.service.js';
import { createCache, type CacheOptions } from '../../libs/infra/src/cache/create-cache.js';
import { FakeClock } from './fake-clock.js';

/** What `createTestCache` made. */
export interface TestCache {
  readonly cache: CacheService;
  readonly clock: FakeClock;
}

/**
 * A cache in the process for one test, and the clock by which its entries expire. It shares nothing with other caches,
 * and refuses values that JSON changes unless the options allow them. Close it after the test.
 */
export function createTestCache(options: Omit<CacheOptions, 'redis' | 'memoryClock'> = {}): TestCache {
  const clock = new FakeClock();
  return { cache: createCache({ shouldRefuseUnplainValues: true, ...options, memoryClock: clock.now }), clock };
}
