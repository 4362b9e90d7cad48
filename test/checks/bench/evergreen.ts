import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { entry, record } from '@bff/infra/cache/dependencies';
import type { BenchCache, Contender, OpenOptions } from './contender.js';

/** Evergreen with costlier hits: a full L1 with this many entries, each with a TTL and read with options. */
export function evergreenFull(entries: number): Contender {
  return {
    name: 'Evergreen, L1 full, with TTLs',
    cannot: {},
    async open({ redisUrl }: OpenOptions) {
      const appName = 'bench-full';
      const cache = createCache({ redisUrl, appName, commandTimeoutMs: 5000, l1: { maxEntries: entries } });
      await cache.open();
      return surfaceOf(cache, { ttlSeconds: 3600 });
    },
  };
}

/** Evergreen. Its L1 always has Redis behind it, and is strict: a hit checks its lease. */
export const evergreen: Contender = {
  name: 'Evergreen',
  cannot: {},
  async open({ redisUrl, mode }: OpenOptions) {
    const l1 = mode === 'l2' ? 'off' : 'strict';
    const cache = createCache({ redisUrl, appName: `bench-${mode}`, commandTimeoutMs: 5000, l1 });
    await cache.open();
    return surfaceOf(cache);
  },
};

function surfaceOf(cache: CacheService, options?: { readonly ttlSeconds: number }): BenchCache {
  return {
    getOrSet: (key: string, fetch: () => Promise<unknown>) => cache.getOrSet(key, fetch, options),
    fill: (key: string, value: unknown, dependencies: readonly string[]) =>
      cache.getOrSet(key, () => Promise.resolve(value), { dependsOn: dependencies.map(toRecord) }),
    invalidateKey: (key: string) => cache.invalidate(entry(key)),
    invalidateDependency: (dependency: string) => cache.invalidate(toRecord(dependency)),
    close: () => cache.close(),
  };
}

function toRecord(dependency: string) {
  const colon = dependency.indexOf(':');
  return record(dependency.slice(0, colon), dependency.slice(colon + 1));
}
