import { StoreUnavailableError } from '../cache/cache.errors.js';
import type { CacheBucketMetrics, DomainMetrics, DomainTotals } from '../cache/cache.types.js';
import type { ProcessReports } from './process-reports.js';

/** Publishes the counters of this process' domains on the board, and sums those of all live processes. */
export class DomainBoard {
  private readonly own = new Map<string, () => DomainMetrics>();

  constructor(private readonly reports: ProcessReports) {}

  register(domain: string, metrics: () => DomainMetrics): void {
    this.own.set(domain, metrics);
    this.reports.publish(topic(domain), metrics);
  }

  /**
   * The sums over all live processes. While the store is away, the counters of this process, which also show the
   * outage.
   */
  async total(domain: string): Promise<DomainTotals> {
    try {
      const reports = await this.reports.read(topic(domain));
      return sum(reports.map(({ content }) => content as DomainMetrics));
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const own = this.own.get(domain);
      const reason = `the store does not answer, so these are the counters of this process alone: ${error.message}`;
      return { ...sum(own ? [own()] : []), reason };
    }
  }
}

function sum(reports: readonly DomainMetrics[]): DomainTotals {
  const buckets: Record<string, CacheBucketMetrics> = {};
  let [invalidations, repeatedInvalidations, lostRepeats] = [0, 0, 0];
  for (const metrics of reports) {
    invalidations += metrics.invalidations;
    repeatedInvalidations += metrics.repeatedInvalidations ?? 0; // an older process has fewer counters
    lostRepeats += metrics.lostRepeats ?? 0;
    for (const [name, counters] of Object.entries(metrics.buckets)) {
      addTo((buckets[name] ??= emptyBucketMetrics()), counters);
    }
  }
  return { processes: reports.length, buckets, invalidations, repeatedInvalidations, lostRepeats };
}

/** Counters of a bucket, all zero. */
export function emptyBucketMetrics(): CacheBucketMetrics {
  return {
    hits: 0,
    misses: 0,
    coalesced: 0,
    bypassed: 0,
    errors: 0,
    stale: 0,
    tooOld: 0,
    folded: 0,
    reshaped: 0,
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
