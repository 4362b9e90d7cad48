/** What the package gives to a Nest application; `CacheService` is the token under which the module provides the cache. */
export { CacheModule } from '../libs/infra/src/cache/cache.module.js';
export { CacheService } from '../libs/infra/src/cache/cache.service.js';
