/** What the package gives to tests. No test runner is imported: those who use the contract bring theirs. */
export { FakeClock } from './testing/fake-clock.js';
export { createTestCache, type TestCache } from './testing/test-cache.js';
export { describeCacheStore } from '../test/contract/cache-store.contract.js';
export { memoryStores } from '../test/contract/memory-under-test.js';
export { redisStores } from '../test/contract/redis-under-test.js';
export type { StoreFactory, StoreSettings, StoreUnderTest } from '../test/contract/store-under-test.js';
export type { TestRunner } from '../test/contract/test-runner.js';
