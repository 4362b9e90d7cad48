import { DomainBoard } from './counters/domain-board.js';
import { repeatDelays, RepeatedInvalidations } from './upkeep/repeated-invalidations.js';
import { Bucket, LoadingBucket, type BucketOptions, type KeyParts, type Loader } from './bucket.js';
import { invalidOption, NotAcknowledgedError } from './cache.errors.js';
import type { CacheService } from './cache.service.js';
import { INTERNALS } from './read-through/cache-internals.js';
import { ManyBucket } from './many-bucket.js';
import type { ManyLoader } from './read-through/many/many-loader.js';
import type {
  CacheBucketMetrics,
  CountedDomain,
  CounterReports,
  DomainMetrics,
  DomainTotals,
  Invalidation,
} from './cache.types.js';
import { namespace, type Dependency } from './dependencies.js';

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
 *       constructor(cache: CacheService, private readonly source: CaseSource) { super('cases', cache); }
 *       readonly byAccount = this.bucket<Case[], [account: string]>('account', {
 *         strategy: changeDriven({ toldBy: 'Case' }),
 *         load: ([account], { dependsOn }) => this.source.casesOf(account, dependsOn),
 *       });
 *     }
 */
export abstract class DomainCache implements CountedDomain {
  private readonly buckets = new Map<string, Pick<Bucket<unknown>, 'metrics' | 'ttlSeconds'>>();
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
    cache[INTERNALS].registerDomain(this, () => this.processMetrics());
  }

  /**
   * The counters, summed over all processes, those that have ended included; those of this process alone if the cache
   * has no `reports`, or while the store is away.
   */
  metrics(): Promise<DomainTotals> {
    return this.cache[INTERNALS].domainMetrics(this.domain);
  }

  /**
   * For each bucket, the maximum seconds that its entries live by its strategy; null if the strategy sets no maximum,
   * or each value has its own.
   */
  ttlSeconds(): Readonly<Record<string, number | null>> {
    return Object.fromEntries([...this.buckets].map(([name, bucket]) => [name, bucket.ttlSeconds]));
  }

  /**
   * Adds a bucket. With `load`, its callers need no fetcher; with `loadMany`, they can ask for many entries at once. `P`
   * names the parts of its keys, such as `[account: SalesforceId]`.
   */
  protected bucket<T, P extends KeyParts = KeyParts>(
    name: string,
    options: BucketOptions<T, P> & { readonly loadMany: ManyLoader<T, P> },
  ): ManyBucket<T, P>;
  protected bucket<T, P extends KeyParts = KeyParts>(
    name: string,
    options: BucketOptions<T, P> & { readonly load: Loader<T, P> },
  ): LoadingBucket<T, P>;
  protected bucket<T, P extends KeyParts = KeyParts>(name: string, options: BucketOptions<T, P>): Bucket<T, P>;
  protected bucket<T, P extends KeyParts>(name: string, options: BucketOptions<T, P>): Bucket<T, P> {
    if (this.buckets.has(name)) throw invalidOption(`the domain ${this.domain} has two buckets named ${name}`);
    const bucket = this.bucketOf(name, options);
    this.buckets.set(name, bucket);
    return bucket;
  }

  private bucketOf<T, P extends KeyParts>(name: string, options: BucketOptions<T, P>): Bucket<T, P> {
    const { load, loadMany } = options;
    if (loadMany) return new ManyBucket<T, P>(this.cache, this.domain, name, { ...options, loadMany });
    if (load) return new LoadingBucket<T, P>(this.cache, this.domain, name, { ...options, load });
    return new Bucket<T, P>(this.cache, this.domain, name, options);
  }

  /**
   * Drops every entry of the domain, acknowledged like `CacheService.invalidate`, and counts one invalidation. Entries
   * that are being built meanwhile are not kept.
   */
  clear(): Promise<Invalidation> {
    return this.invalidate(namespace(this.domain));
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
  protected invalidate(...dependencies: Dependency[]): Promise<Invalidation> {
    return this.invalidateNow(dependencies, this.repeatAfterMs);
  }

  /** Like `invalidate`, with repeats at these delays instead of the domain's (see `DomainCacheOptions`). */
  protected async invalidateAndRepeat(
    repeatAfterMs: readonly number[],
    ...dependencies: Dependency[]
  ): Promise<Invalidation> {
    return this.invalidateNow(dependencies, repeatDelays(repeatAfterMs));
  }

  private async invalidateNow(
    dependencies: readonly Dependency[],
    repeatAfterMs: readonly number[],
  ): Promise<Invalidation> {
    this.invalidations++;
    try {
      const done = await this.cache.invalidate(...dependencies);
      this.repeats.add(dependencies, repeatAfterMs);
      return done;
    } catch (error) {
      if (error instanceof NotAcknowledgedError) this.repeats.add(dependencies, repeatAfterMs);
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

/**
 * The counters of a domain that this process does not have, summed over all processes, those that have ended included;
 * none, with a `reason`, while the store is away.
 */
export function totalsOfDomain(domain: string, reports: CounterReports): Promise<DomainTotals> {
  return new DomainBoard(reports).total(domain);
}
