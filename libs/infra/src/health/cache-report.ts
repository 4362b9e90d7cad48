import type { CacheBucketMetrics } from '../cache/cache.types.js';
import type { DomainCache } from '../cache/domain-cache.js';

type Counters = Readonly<Partial<CacheBucketMetrics>>;

/** What a domain's cache endpoint answers: counters of all live processes, and the seconds that entries live at most. */
export interface CacheReport {
  readonly timestamp: string;
  /** Counters by bucket, and the number `invalidations`. */
  readonly metrics: Readonly<Record<string, Counters | number>>;
  /** `<bucket>Seconds`; null where only a change ends an entry. */
  readonly ttl: Readonly<Record<string, number | null>>;
}

/** The report of a domain, with these counters of each bucket. A store that is away rejects: the sum is then not known. */
export async function cacheReport(
  cache: DomainCache,
  counters: readonly (keyof CacheBucketMetrics)[],
  now: Date = new Date(),
): Promise<CacheReport> {
  const { buckets, invalidations } = await cache.metrics();
  const shown = Object.entries(buckets).map(([name, metrics]) => [
    name,
    Object.fromEntries(counters.map((counter) => [counter, metrics[counter]])),
  ]);
  return {
    timestamp: now.toISOString(),
    metrics: { ...(Object.fromEntries(shown) as Record<string, Counters>), invalidations },
    ttl: Object.fromEntries(Object.entries(cache.ttlSeconds()).map(([name, seconds]) => [`${name}Seconds`, seconds])),
  };
}
