import { createCache } from '@bff/infra/cache/create-cache';
import { entry, record } from '@bff/infra/cache/dependencies';
import type { Contender, OpenOptions } from './contender.js';

/** Ours. */
export const evergreen: Contender = {
  name: 'Evergreen',
  cannot: { 'l1-hit': 'the in-process L1 is not there yet' },
  open({ redisUrl }: OpenOptions) {
    const cache = createCache({ redisUrl, appName: 'bench', commandTimeoutMs: 5000 });
    return Promise.resolve({
      getOrSet: (key: string, fetch: () => Promise<unknown>) => cache.getOrSet(key, fetch),
      fill: (key: string, value: unknown, dependencies: readonly string[]) =>
        cache.getOrSet(key, () => Promise.resolve(value), { dependsOn: dependencies.map(toRecord) }),
      invalidateKey: (key: string) => cache.invalidate(entry(key)),
      invalidateDependency: (dependency: string) => cache.invalidate(toRecord(dependency)),
      close: () => cache.close(),
    });
  },
};

function toRecord(dependency: string) {
  const colon = dependency.indexOf(':');
  return record(dependency.slice(0, colon), dependency.slice(colon + 1));
}
