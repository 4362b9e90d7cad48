import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import type { Subject } from './subject.js';

/** Evergreen with its defaults; the L1 in the mode `strict` is one of them. */
export const evergreen: Subject = {
  name: 'Evergreen',
  async open(redisUrl) {
    const cache = createCache({ redisUrl, appName: 'comparison', l1: 'strict' });
    await cache.open();
    const tagged = (tag: string) => record('Tag', tag);
    return {
      get: (key, fetch) => cache.getOrSet(key, fetch),
      delete: (key) => cache.del(key),
      close: () => cache.close(),
      tags: {
        get: (key, tag, fetch) => cache.getOrSet(key, fetch, { dependsOn: [tagged(tag)] }),
        getAndLearn: (key, tag, fetch) =>
          cache.getOrSet(key, async ({ dependsOn }) => {
            const value = await fetch();
            dependsOn(tagged(tag));
            return value;
          }),
        invalidate: (tag) => cache.invalidate(tagged(tag)),
      },
    };
  },
};
