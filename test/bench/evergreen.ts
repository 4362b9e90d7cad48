import { createCache } from '@bff/infra/cache/create-cache';
import { entry, record } from '@bff/infra/cache/dependencies';
import type { Contender, OpenOptions } from './contender.js';

/** Ours; its L1 is never without Redis behind it, and strict: a hit checks its lease. */
export const evergreen: Contender = {
  name: 'Evergreen',
  cannot: {},
  async open({ redisUrl, mode }: OpenOptions) {
    const l1 = mode === 'l2' ? 'off' : 'strict';
    const cache = createCache({ redisUrl, appName: `bench-${mode}`, commandTimeoutMs: 5000, l1 });
    await cache.open();
    return {
      getOrSet: (key: string, fetch: () => Promise<unknown>) => cache.getOrSet(key, fetch),
      fill: (key: string, value: unknown, dependencies: readonly string[]) =>
        cache.getOrSet(key, () => Promise.resolve(value), { dependsOn: dependencies.map(toRecord) }),
      invalidateKey: (key: string) => cache.invalidate(entry(key)),
      invalidateDependency: (dependency: string) => cache.invalidate(toRecord(dependency)),
      close: () => cache.close(),
    };
  },
};

function toRecord(dependency: string) {
  const colon = dependency.indexOf(':');
  return record(dependency.slice(0, colon), dependency.slice(colon + 1));
}
