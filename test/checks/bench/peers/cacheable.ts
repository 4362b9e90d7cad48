import type { BenchCache, Contender, OpenOptions } from '../contender.js';
import { createKeyv } from './keyv-redis.js';
import { importPeer } from './peer-package.js';

interface Cache {
  readonly tags: { invalidateTag(tag: string): Promise<unknown> };
  getOrSet(key: string, load: () => Promise<unknown>, options: { ttl: string }): Promise<unknown>;
  set(key: string, value: unknown, options: { ttl: string; tags: readonly string[] }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  disconnect(): Promise<unknown>;
}
interface Provider {
  disconnect(force?: boolean): Promise<void>;
}

const TTL = '1h';

/** cacheable over Keyv stores; tags are counters in the store; its bus is qified over Redis. */
export const cacheable: Contender = {
  name: 'cacheable',
  packageName: 'cacheable',
  cannot: {},
  async open({ redisUrl, mode, hasDependencies }: OpenOptions): Promise<BenchCache> {
    const { Cacheable } = await importPeer<{ Cacheable: new (options: object) => Cache }>('cacheable');
    const provider = mode === 'tiered' ? await createProvider(redisUrl) : undefined;
    const cache = new Cacheable({
      primary: await createKeyv('cacheable', mode === 'l2' ? redisUrl : undefined),
      ...(mode === 'tiered' && { secondary: await createKeyv('cacheable', redisUrl) }),
      ...(provider && { sync: { qified: provider } }),
      tags: hasDependencies === true,
    });
    return {
      getOrSet: (key, fetch) => cache.getOrSet(key, fetch, { ttl: TTL }),
      fill: (key, value, tags) => cache.set(key, value, { ttl: TTL, tags }),
      invalidateKey: (key) => cache.delete(key),
      invalidateDependency: (tag) => cache.tags.invalidateTag(tag),
      close: async () => {
        await cache.disconnect();
        await provider?.disconnect(true);
      },
    };
  },
};

async function createProvider(uri: string): Promise<Provider> {
  const { RedisMessageProvider } = await importPeer<{
    RedisMessageProvider: new (options: { uri: string }) => Provider;
  }>('@qified/redis');
  return new RedisMessageProvider({ uri });
}
