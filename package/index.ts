/**
 * What the package gives away without Nest: this list, and nothing else. A name that is added here is a promise to
 * those who install it; `npm run pack` packs what the listed files import by itself.
 */
export {
  createCache,
  type CacheL1Options,
  type CacheOptions,
  type CreateCacheOptions,
} from '../libs/infra/src/cache/create-cache.js';
export { CacheService } from '../libs/infra/src/cache/cache.service.js';
export { DomainCache, type DomainCacheOptions } from '../libs/infra/src/cache/domain-cache.js';
export {
  buildKey,
  type Bucket,
  type BucketOptions,
  type KeyParts,
  type Loader,
  type LoadingBucket,
  type RehydrateOptions,
} from '../libs/infra/src/cache/bucket.js';
export type { ManyBucket } from '../libs/infra/src/cache/many-bucket.js';
export type { ManyContext, ManyLoader } from '../libs/infra/src/cache/read-through/many/many-loader.js';
export {
  changeDriven,
  hybrid,
  sliding,
  ttl,
  type ChangeDrivenOptions,
  type Strategy,
} from '../libs/infra/src/cache/strategies.js';
export {
  anyRecord,
  entry,
  membership,
  namespace,
  record,
  tag,
  wholeTable,
  type Dependency,
} from '../libs/infra/src/cache/dependencies.js';
export {
  BuildFailedError,
  CacheError,
  FetchTimeoutError,
  isCallerError,
  NotAcknowledgedError,
  StoreUnavailableError,
  WaitTimeoutError,
  type CacheErrorCode,
  type CallerError,
} from '../libs/infra/src/cache/cache.errors.js';
export type {
  BackgroundEvent,
  BuildEvent,
  CacheBucketMetrics,
  CacheLock,
  Callers,
  CallOptions,
  CounterReports,
  DeclaredDependencies,
  DomainMetrics,
  DomainTotals,
  EntryOptions,
  FeedAges,
  FetchContext,
  Fetcher,
  GetOptions,
  GetOrSetOptions,
  Invalidation,
  KeyStatus,
  LockOptions,
  MaybeStale,
  ReadOutcome,
  SetOptions,
  SlidingOptions,
  StaleOptions,
  TtlSeconds,
} from '../libs/infra/src/cache/cache.types.js';
export type { L1State, StoreState } from '../libs/infra/src/cache/protocol/cache-store.js';
export type { EncryptionKey } from '../libs/infra/src/cache/encryption.js';
export {
  createRedisClient,
  type RedisClient,
  type RedisConnectionOptions,
} from '../libs/infra/src/redis/redis-client.js';
export type { OnSplit } from '../libs/infra/src/redis/primary-vouch.js';
