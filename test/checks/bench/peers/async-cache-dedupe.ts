import { Redis } from 'ioredis';
import type { BenchCache, Contender, OpenOptions } from '../contender.js';
import { importPeer } from './peer-package.js';

interface Call {
  readonly key: string;
  readonly fetch: () => Promise<unknown>;
  readonly references?: readonly string[];
}
interface DedupeCache {
  define(name: string, options: object, load: (call: Call) => Promise<unknown>): DedupeCache;
  clear(name: string, call: Call): Promise<void>;
  invalidateAll(reference: string): Promise<void>;
  load(call: Call): Promise<unknown>;
}
interface DedupeModule {
  createCache(options: object): DedupeCache;
}

const TTL_SECONDS = 3600;

/** async-cache-dedupe: one storage, in memory or in Redis; references are sets in Redis. */
export const asyncCacheDedupe: Contender = {
  name: 'async-cache-dedupe',
  packageName: 'async-cache-dedupe',
  cannot: { 'cross-process': 'has one storage, no L1 above Redis' },
  async open({ redisUrl, mode, hasDependencies }: OpenOptions): Promise<BenchCache> {
    const { createCache } = await importPeer<DedupeModule>('async-cache-dedupe');
    const client = mode === 'l1' ? undefined : new Redis(redisUrl);
    const invalidation = hasDependencies ? { referencesTTL: TTL_SECONDS } : false;
    const storage = client
      ? { type: 'redis', options: { client, invalidation } }
      : { type: 'memory', options: { size: 100_000 } };
    const cache = createCache({ ttl: TTL_SECONDS, storage }).define(
      'load',
      {
        serialize: ({ key }: Call) => key,
        ...(hasDependencies && { references: ({ references }: Call) => references ?? [] }),
      },
      ({ fetch }) => fetch(),
    );
    return {
      getOrSet: (key, fetch) => cache.load({ key, fetch }),
      fill: (key, value, references) => cache.load({ key, fetch: () => Promise.resolve(value), references }),
      invalidateKey: (key) => cache.clear('load', { key, fetch: () => Promise.resolve() }),
      invalidateDependency: (reference) => cache.invalidateAll(reference),
      close: async () => client?.disconnect(),
    };
  },
};
