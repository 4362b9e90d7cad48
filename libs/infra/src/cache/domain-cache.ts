import { repeatDelays, RepeatedInvalidations } from './upkeep/repeated-invalidations.js';
import { Bucket, type BucketOptions } from './bucket.js';
import { NotAcknowledgedError } from './cache.errors.js';
import type { CacheService } from './cache.service.js';
import type { CacheBucketMetrics, DomainMetrics, DomainTotals, Invalidation } from './cache.types.js';
import type { Dependency } from './dependencies.js';

export interface DomainCacheOptions {
  /**
   * Milliseconds after which to invalidate again, one value per repeat: for a source whose reads lag behind its own
   * change events. At most ten delays of 10 ms to 10 minutes. Repeats that are pending when the process ends are
   * dropped. @default none
   */
  readonly repeatAfterMs?: readonly number[];
}

/**
 * The base of a domain's cache service. A bucket brings request coalescing, dependency tracking, null-safety, counters
 * and eviction. `metrics` sums the counters of all processes, ended ones too, for the domain's health endpoint.
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

  /**
   * The counters, summed over all processes, those that have ended included; those of this process alone if the cache
   * has no `reports`, or while the store is away.
   */
  metrics(): Promise<DomainTotals> {
    return this.cache.domainMetrics(this.domain);
  }

  /**
   * For each bucket, the maximum seconds that its entries live by its strategy; null if the strategy sets no maximum,
   * or each value has its own.
   */
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
   * Adds `changes` to the counted invalidations (0 after a gap), and schedules repeats as the domain's options say. It
   * is for subscriptions: they invalidate without this class, and call this method after the acknowledgement.
   */
  noteInvalidated(dependencies: readonly Dependency[], changes: number): void {
    this.invalidations += changes;
    this.repeats.add(dependencies, this.repeatAfterMs);
  }

  /**
   * Invalidates, and counts one invalidation. Rejects like `CacheService.invalidate`. Resolves when acknowledged,
   * before any repeat. An invalidation that was not acknowledged is repeated as well, at the same delays after the
   * failure: the source has changed, and perhaps no caller asks again.
   */
  protected async invalidate(
    dependencies: readonly Dependency[],
    options: DomainCacheOptions = {},
  ): Promise<Invalidation> {
    this.invalidations++;
    const afterMs = options.repeatAfterMs ? repeatDelays(options.repeatAfterMs) : this.repeatAfterMs;
    try {
      const done = await this.cache.invalidate(...dependencies);
      this.repeats.add(dependencies, afterMs);
      return done;
    } catch (error) {
      if (error instanceof NotAcknowledgedError) this.repeats.add(dependencies, afterMs);
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
