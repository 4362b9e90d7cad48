import type { CacheBucketMetrics, CountedDomain } from '../cache/cache.types.js';

/**
 * The answer of a domain's cache endpoint: counters of all processes, those that have ended included, or of this one
 * alone while the store is away; and the maximum lives of entries in seconds.
 */
export interface CacheReport {
  readonly timestamp: string;
  /** Number of live processes in the sums: this one alone while the store is away. Ended ones are not in it. */
  readonly processes: number;
  /** Why the counters are those of this process alone: the store is away. */
  readonly reason?: string;
  /** Counters by bucket, and the number `invalidations`. */
  readonly metrics: Readonly<Record<string, CacheBucketMetrics | number>>;
  /** `<bucket>Seconds`; null where only an invalidation ends an entry, or where the value decides. */
  readonly ttl: Readonly<Record<string, number | null>>;
}

/** The report of a domain over all live processes; over this one alone while the store is away. */
export async function cacheReport(cache: CountedDomain, now: Date = new Date()): Promise<CacheReport> {
  const { buckets, invalidations, processes, reason } = await cache.metrics();
  return {
    timestamp: now.toISOString(),
    processes,
    ...(reason !== undefined && { reason }),
    metrics: { ...buckets, invalidations },
    ttl: Object.fromEntries(Object.entries(cache.ttlSeconds()).map(([name, seconds]) => [`${name}Seconds`, seconds])),
  };
}
