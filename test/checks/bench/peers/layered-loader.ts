import { Redis } from 'ioredis';
import type { BenchCache, Contender, OpenOptions } from '../contender.js';
import { importPeer } from './peer-package.js';

interface Params {
  readonly key: string;
  readonly fetch: () => Promise<unknown>;
}
interface Loader {
  init(): Promise<void>;
  get(params: Params): Promise<unknown>;
  invalidateCacheFor(key: string): Promise<void>;
  close(): Promise<void>;
}
interface GroupLoader {
  init(): Promise<void>;
  get(params: Params, group: string): Promise<unknown>;
  invalidateCacheForGroup(group: string): Promise<void>;
  close(): Promise<void>;
}
interface LayeredModule {
  Loader: new (config: object) => Loader;
  GroupLoader: new (config: object) => GroupLoader;
  RedisCache: new (redis: Redis, config: object) => unknown;
  RedisGroupCache: new (redis: Redis, config: object) => unknown;
  createNotificationPair(config: object): { publisher: unknown; consumer: unknown };
}

const TTL = { ttlInMsecs: 3_600_000, json: true };

/** layered-loader: L1, L2 and bus; an entry belongs to at most one group, which is a generation number in Redis. */
export const layeredLoader: Contender = {
  name: 'layered-loader',
  packageName: 'layered-loader',
  cannot: { memory: 'an entry has at most one group' },
  async open({ redisUrl, mode, hasDependencies }: OpenOptions): Promise<BenchCache> {
    const layered = await importPeer<LayeredModule>('layered-loader');
    const redis = mode === 'l1' ? undefined : new Redis(redisUrl);
    const cacheKeyFromLoadParamsResolver = ({ key }: Params) => key;
    const dataSourceGetOneFn = ({ fetch }: Params) => fetch();
    const inMemoryCache = mode !== 'l2' && { cacheType: 'lru-map', ttlInMsecs: TTL.ttlInMsecs, maxItems: 100_000 };
    const bus =
      mode === 'tiered'
        ? layered.createNotificationPair({
            channel: 'bench-layered-loader',
            publisherRedis: new Redis(redisUrl),
            consumerRedis: new Redis(redisUrl),
          })
        : undefined;
    const loader = new layered.Loader({
      cacheKeyFromLoadParamsResolver,
      dataSourceGetOneFn,
      ...(inMemoryCache && { inMemoryCache }),
      ...(redis && { asyncCache: new layered.RedisCache(redis, { ...TTL, prefix: 'layered' }) }),
      ...(bus && { notificationConsumer: bus.consumer, notificationPublisher: bus.publisher }),
    });
    await loader.init();
    const groups =
      hasDependencies && redis
        ? new layered.GroupLoader({
            cacheKeyFromLoadParamsResolver,
            dataSources: [{ name: 'source', getFromGroup: dataSourceGetOneFn }],
            asyncCache: new layered.RedisGroupCache(redis, { ...TTL, prefix: 'groups', groupTtlInMsecs: 7_200_000 }),
          })
        : undefined;
    await groups?.init();
    return {
      getOrSet: (key, fetch) => loader.get({ key, fetch }),
      fill: async (key, value, [group = 'none']) => groups?.get({ key, fetch: () => Promise.resolve(value) }, group),
      invalidateKey: (key) => loader.invalidateCacheFor(key),
      invalidateDependency: async (group) => groups?.invalidateCacheForGroup(group),
      close: async () => {
        await loader.close();
        await groups?.close();
        redis?.disconnect();
      },
    };
  },
};
