import type { BenchCache, Contender, OpenOptions } from '../contender.js';
import { createKeyv, type KeyvStore } from './keyv-redis.js';
import { importPeer } from './peer-package.js';

interface Cache {
  wrap(key: string, load: () => Promise<unknown>): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

const TTL_MS = 3_600_000;
const noTags = 'has no tags';

/** cache-manager over Keyv stores. */
export const cacheManager: Contender = {
  name: 'cache-manager',
  packageName: 'cache-manager',
  cannot: {
    'fan-out': noTags,
    memory: noTags,
    'cross-process': 'has no bus: other processes serve the old value until its TTL',
  },
  async open({ redisUrl, mode }: OpenOptions): Promise<BenchCache> {
    const { createCache } = await importPeer<{ createCache(options: object): Cache }>('cache-manager');
    const stores: KeyvStore[] = [];
    if (mode !== 'l2') stores.push(await createKeyv('cache-manager'));
    if (mode !== 'l1') stores.push(await createKeyv('cache-manager', redisUrl));
    const cache = createCache({ stores, ttl: TTL_MS });
    return {
      getOrSet: (key, fetch) => cache.wrap(key, fetch),
      fill: (key, value) => cache.set(key, value),
      invalidateKey: (key) => cache.del(key),
      invalidateDependency: () => Promise.reject(new Error(noTags)),
      close: () => Promise.all(stores.map((store) => store.disconnect())),
    };
  },
};
