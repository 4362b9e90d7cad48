import type { CacheBucketMetrics, DomainMetrics } from './cache.types.js';
import type { ProcessReports } from './process-reports.js';

/** The counters of every domain of this process on the board, and the sums over all live processes. */
export class DomainBoard {
  constructor(private readonly reports: ProcessReports) {}

  register(domain: string, metrics: () => DomainMetrics): void {
    this.reports.publish(topic(domain), metrics);
  }

  async total(domain: string): Promise<DomainMetrics> {
    const buckets: Record<string, CacheBucketMetrics> = {};
    let [invalidations, repeatedInvalidations, lostRepeats] = [0, 0, 0];
    for (const { content } of await this.reports.read(topic(domain))) {
      const metrics = content as DomainMetrics;
      invalidations += metrics.invalidations;
      repeatedInvalidations += metrics.repeatedInvalidations ?? 0; // an older process has fewer counters
      lostRepeats += metrics.lostRepeats ?? 0;
      for (const [name, counters] of Object.entries(metrics.buckets)) {
        addTo((buckets[name] ??= emptyBucketMetrics()), counters);
      }
    }
    return { buckets, invalidations, repeatedInvalidations, lostRepeats };
  }
}

/** Counters at zero. */
export function emptyBucketMetrics(): CacheBucketMetrics {
  return {
    hits: 0,
    misses: 0,
    coalesced: 0,
    bypassed: 0,
    errors: 0,
    stale: 0,
    tooOld: 0,
    refreshes: 0,
    rehydrations: 0,
    backgroundFailures: 0,
  };
}

function addTo(sum: CacheBucketMetrics, counters: CacheBucketMetrics): void {
  for (const name of Object.keys(sum) as (keyof CacheBucketMetrics)[]) sum[name] += counters[name] ?? 0;
}

function topic(domain: string): string {
  return `domain:${domain}`;
}
