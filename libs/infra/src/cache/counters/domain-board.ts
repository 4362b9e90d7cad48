import { StoreUnavailableError } from '../cache.errors.js';
import type { CacheBucketMetrics, CountedDomain, CounterReports, DomainMetrics, DomainTotals } from '../cache.types.js';
import { addBucketMetrics, emptyBucketMetrics } from './bucket-metrics.js';

/** Publishes the counters of this process' domains, and sums those of all processes. */
export class DomainBoard {
  /** The domains of this process, by name. */
  readonly domains = new Map<string, CountedDomain>();
  private readonly own = new Map<string, () => DomainMetrics>();

  /** @param reports undefined: no fleet adds the counters up, so `total` gives those of this process */
  constructor(private readonly reports?: CounterReports) {}

  register(counted: CountedDomain, metrics: () => DomainMetrics): void {
    const { domain } = counted;
    this.domains.set(domain, counted);
    this.own.set(domain, metrics);
    this.reports?.publishCounters(topic(domain), metrics);
  }

  /**
   * The sums over all processes, those that have ended included; without `reports`, the counters of this process; while
   * the store is away, those and the reason.
   */
  async total(domain: string): Promise<DomainTotals> {
    if (!this.reports) return this.ownTotal(domain);
    try {
      const { live, ended } = await this.reports.readCounters(topic(domain));
      return { ...sum([...live, ...ended].map(({ content }) => content as DomainMetrics)), processes: live.length };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const reason = `the store does not answer, so these are the counters of this process alone: ${error.message}`;
      return { ...this.ownTotal(domain), reason };
    }
  }

  private ownTotal(domain: string): DomainTotals {
    const metrics = this.own.get(domain);
    return sum(metrics ? [metrics()] : []);
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
      addBucketMetrics((buckets[name] ??= emptyBucketMetrics()), counters);
    }
  }
  return { processes: reports.length, buckets, invalidations, repeatedInvalidations, lostRepeats };
}

function topic(domain: string): string {
  return `domain:${domain}`;
}
