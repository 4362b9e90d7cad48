import { repeatDelays, RepeatedInvalidations } from './background/repeated-invalidations.js';
import { Bucket, type BucketOptions } from './bucket.js';
import { NotAcknowledgedError } from './cache.errors.js';
import type { CacheService } from './cache.service.js';
import type { CacheBucketMetrics, DomainMetrics, DomainTotals, Invalidation } from './cache.types.js';
import type { Dependency } from './dependencies.js';

export interface DomainCacheOptions {
  /**
   * Invalidate again after so many milliseconds each: for a source whose reads lag behind its own change events. At most ten
   * delays of 10 ms to 10 minutes. What waits when the process ends is not repeated. @default none
   */
  readonly repeatAfterMs?: readonly number[];
}

/**
 * The base of a domain's cache service. A bucket brings request coalescing, dependency tracking, null-safety, counters and
 * eviction; the counters of all processes are on the board, for the domain's health endpoint.
 *
 *     @Injectable()
 *     export class CasesCache extends DomainCache {
 *       constructor(cache: CacheService) { super('cases', cache); }
 *       private readonly byAccount = this.bucket<Case[]>('account', { strategy: changeDriven({ toldBy: 'Case' }) });
 *     }
 */
export abstract class DomainCache {
  private readonly buckets = new Map<string, Bucket<unknown>>();
  private readonly repeatAfterMs: readonly number[];
  private readonly repeats: RepeatedInvalidations;
  private invalidations = 0;

  protected constructor(
    readonly domain: string,
    protected readonly cache: CacheService,
    options: DomainCacheOptions = {},
  ) {
    this.repeatAfterMs = repeatDelays(options.repeatAfterMs);
    this.repeats = new RepeatedInvalidations((dependencies) => cache.invalidate(...dependencies));
    cache.registerDomain(domain, () => this.processMetrics());
  }

  /** The counters, summed over all live processes; while the store is away, those of this one. */
  metrics(): Promise<DomainTotals> {
    return this.cache.domainMetrics(this.domain);
  }

  /** Seconds that the entries of each bucket live at most; null: until they are invalidated. */
  ttlSeconds(): Readonly<Record<string, number | null>> {
    return Object.fromEntries([...this.buckets].map(([name, bucket]) => [name, bucket.ttlSeconds]));
  }

  protected bucket<T>(name: string, options: BucketOptions<T>): Bucket<T> {
    if (this.buckets.has(name)) throw new Error(`the domain ${this.domain} has two buckets named ${name}`);
    const bucket = new Bucket<T>(this.cache, this.domain, name, options);
    this.buckets.set(name, bucket);
    return bucket;
  }

  /**
   * Invalidates and counts one invalidation, or as many as there were changes (0: it is tried again); rejects like
   * `CacheService.invalidate`. Resolves when acknowledged, before any repeat. What was not acknowledged is repeated as well,
   * counted from the failure: the source has changed, and the store is made to forget it although nobody may ask again.
   */
  protected async invalidate(
    dependencies: readonly Dependency[],
    options: DomainCacheOptions & { readonly changes?: number } = {},
  ): Promise<Invalidation> {
    this.invalidations += options.changes ?? 1;
    const afterMs = options.repeatAfterMs ? repeatDelays(options.repeatAfterMs) : this.repeatAfterMs;
    try {
      const done = await this.cache.invalidate(...dependencies);
      this.repeats.add(dependencies, afterMs);
      return done;
    } catch (error) {
      // Of one that is tried again and again the first attempt has seen to it.
      if (error instanceof NotAcknowledgedError && options.changes !== 0) this.repeats.add(dependencies, afterMs);
      throw error;
    }
  }

  private processMetrics(): DomainMetrics {
    const buckets: Record<string, CacheBucketMetrics> = {};
    for (const [name, bucket] of this.buckets) buckets[name] = { ...bucket.metrics };
    const { repeated, lost } = this.repeats.counts;
    return { buckets, invalidations: this.invalidations, repeatedInvalidations: repeated, lostRepeats: lost };
  }
}
