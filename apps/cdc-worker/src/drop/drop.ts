import { CacheError } from '@bff/infra/cache/cache.errors';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import { createRedisClient, isRedisConfigured } from '@bff/infra/redis/redis-client';
import type { AppConfig } from '@bff/modules/config/app-config';
import { cacheOptions } from '@bff/modules/runtime/cache-options';
import type { DropRequest } from './drop-request.js';

/** What became of a request to drop: the exit code, and the text for the operator. */
export interface DropOutcome {
  /** 0: acknowledged; 1: not acknowledged, and old values may still be served; 2: nothing was tried. */
  readonly code: 0 | 1 | 2;
  readonly text: string;
}

/** How many of the dropped keys are named; the others are counted. */
const NAMED_MAX = 50;

const EMBEDDED =
  'No Redis is configured (REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER_NODES), so the entries are in the memory of the\n' +
  'BFF, where no other process can drop them. Restart the BFF: that drops all. If it does use Redis, give this command\n' +
  'the same configuration.';

/**
 * Drops what depends on the request, as one more process of the application, and resolves when that is acknowledged: no
 * process serves it any more (with a bounded L1, a second later). Only code 0 promises that. Rejects only for a failure
 * that is not of the cache.
 */
export async function drop({ dependency, text }: DropRequest, config: AppConfig): Promise<DropOutcome> {
  if (!isRedisConfigured(config.redis)) return { code: 2, text: EMBEDDED };
  const redis = createRedisClient(config.redis);
  const fleet = createFleet({ redis, appName: config.app.name });
  const cache = createCache(cacheOptions(config, redis, fleet));
  try {
    await cache.open();
    const startedAt = performance.now();
    const invalidation = await cache.invalidate(dependency);
    const end = config.cache.l1 === 'bounded' ? 'a second from now no process serves' : 'no process serves';
    const ms = Math.ceil(performance.now() - startedAt);
    const words = `Acknowledged after ${ms} ms: ${end} what was built before from ${text}.`;
    return { code: 0, text: [words, ...droppedLines(invalidation)].join('\n') };
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    return { code: 1, text: `Not acknowledged (${error.code}): ${error.message}\nOld values may still be served.` };
  } finally {
    await cache.close();
    await fleet.reports.close();
    redis.disconnect();
  }
}

function droppedLines({ dropped, keys, deferred }: Invalidation): string[] {
  const count = dropped === 1 ? '1 entry' : `${dropped} entries`;
  const named = keys.slice(0, NAMED_MAX);
  return [
    dropped === 0 && deferred === 0 ? 'No entry depended on it.' : `Dropped ${count}${dropped > 0 ? ':' : '.'}`,
    ...named.map((key) => `  ${key}`),
    ...(dropped > named.length ? [`  … and ${dropped - named.length} more`] : []),
    ...(deferred > 0 ? ['Too many entries depend on it to free all at once: reads refuse the rest from now on.'] : []),
  ];
}
