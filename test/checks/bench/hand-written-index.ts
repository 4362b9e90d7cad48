import { Redis } from 'ioredis';
import type { Contender, OpenOptions } from './contender.js';

/**
 * A typical hand-written index: a Redis set per dependency, read and unlinked in steps of a thousand. Small, but not
 * safe.
 */
export const handWrittenIndex: Contender = {
  name: 'by hand (SET + SADD)',
  cannot: {},
  open({ redisUrl }: OpenOptions) {
    const redis = new Redis(redisUrl);
    return Promise.resolve({
      getOrSet: async (key: string) => JSON.parse((await redis.get(key)) ?? 'null') as unknown,
      fill: async (key: string, value: unknown, dependencies: readonly string[]) => {
        const pipeline = redis.pipeline().set(key, JSON.stringify(value), 'EX', 3600);
        for (const dependency of dependencies) pipeline.sadd(`dep:${dependency}`, key);
        await pipeline.exec();
      },
      invalidateKey: (key: string) => redis.unlink(key),
      invalidateDependency: async (dependency: string) => {
        for (;;) {
          const keys = await redis.spop(`dep:${dependency}`, 1000);
          if (keys.length === 0) return;
          await redis.unlink(...keys);
        }
      },
      close: async () => redis.disconnect(),
    });
  },
};
