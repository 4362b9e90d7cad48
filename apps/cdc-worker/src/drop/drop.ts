import { CacheError } from '@bff/infra/cache/cache.errors';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import { createRedisClient, isRedisConfigured } from '@bff/infra/redis/redis-client';
import type { AppConfig } from '@bff/modules/config/app-config';
import { cacheOptions } from '@bff/modules/runtime/cache-options';
import type { DropRequest } from './drop-request.js';
import { isDomainKnown, remarkOnTable } from './known-names.js';

/** What became of a request to drop: the exit code, and the text for the operator. */
export interface DropOutcome {
  /** 0: acknowledged; 1: not acknowledged, and old values may still be served; 2: nothing was tried. */
  readonly code: 0 | 1 | 2;
  readonly text: string;
}

/**
 * For a table or domain with many entries, now or earlier, the store keeps no list of them, and for others it frees a
 * bounded number at once (`Invalidation.deferred`).
 */
const REFUSED = 'Every entry that depends on it is refused, and freed later; how many those are is not known here';

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
export async function drop(request: DropRequest, config: AppConfig): Promise<DropOutcome> {
  const { dependency, text, domain, table } = request;
  if (!isRedisConfigured(config.redis)) return { code: 2, text: EMBEDDED };
  const redis = createRedisClient(config.redis);
  const fleet = createFleet({ redis, appName: config.app.name });
  const cache = createCache(cacheOptions(config, redis, fleet));
  try {
    await cache.open();
    if (domain !== undefined && !(await isDomainKnown(domain, cache, fleet.reports)))
      return { code: 2, text: unknownDomain(domain, config.app.name) };
    const startedAt = performance.now();
    const invalidation = await cache.invalidate(dependency);
    const end = config.cache.l1 === 'bounded' ? 'a second from now no process serves' : 'no process serves';
    const ms = Math.ceil(performance.now() - startedAt);
    const words = `Acknowledged after ${ms} ms: ${end} what was built before from ${text}.`;
    const isVain = invalidation.dropped === 0 && invalidation.deferred === 0;
    const remark = isVain && table !== undefined ? await remarkOnTable(table, fleet.leases) : undefined;
    return { code: 0, text: [words, ...droppedLines(invalidation), ...(remark ? [remark] : [])].join('\n') };
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    return { code: 1, text: `Not acknowledged (${error.code}): ${error.message}\nOld values may still be served.` };
  } finally {
    await cache.close();
    await fleet.reports.close();
    redis.disconnect();
  }
}

function unknownDomain(domain: string, application: string): string {
  return (
    `Nothing was tried: no process of the application ${application} has the domain ${domain}, and no entry is of it. Names\n` +
    'are case-sensitive; the key of an entry begins with its domain, such as orders: in orders:account:…. If the domain\n' +
    'is right, check APP_NAME and where Redis is.'
  );
}

function droppedLines({ dropped, keys, deferred }: Invalidation): string[] {
  if (dropped === 0) return [deferred === 0 ? 'No entry depended on it.' : `${REFUSED}.`];
  const named = keys.slice(0, NAMED_MAX);
  return [
    `Dropped ${dropped === 1 ? '1 entry' : `${dropped} entries`}:`,
    ...named.map((key) => `  ${key}`),
    ...(dropped > named.length ? [`  … and ${dropped - named.length} more`] : []),
    ...(deferred > 0 ? [`${REFUSED}, beside these.`] : []),
  ];
}
