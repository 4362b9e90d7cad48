import { buildKey } from './cache-keys.js';
import type { CacheService } from './cache.service.js';
import type { CacheBucketMetrics, DeclaredDependencies, Fetcher, ReadOutcome } from './cache.types.js';
import { entry, type Dependency } from './dependencies.js';
import { emptyBucketMetrics } from './domain-board.js';
import { strategySeconds, type Strategy } from './strategies.js';

export interface BucketOptions {
  readonly strategy: Strategy;
  /** Encrypt the values in the store. @default false */
  readonly sensitive?: boolean;
  /** Whether `null` is stored like any other value. @default true */
  readonly cacheNull?: boolean;
  /** How long a caller waits for somebody else's build, in milliseconds. @default the cache's own */
  readonly waitMs?: number;
  /** How long a dead builder keeps others waiting, in milliseconds. @default the cache's own */
  readonly leaseMs?: number;
}

export interface BucketReadOptions<T> {
  readonly dependsOn?: DeclaredDependencies<T>;
  readonly onOutcome?: (outcome: ReadOutcome) => void;
}

const COUNTER: Readonly<Record<ReadOutcome, keyof CacheBucketMetrics>> = {
  hit: 'hits',
  miss: 'misses',
  coalesced: 'coalesced',
  bypass: 'bypassed',
};

/** The entries of one kind in a domain: one way to make keys, one strategy, one set of counters. */
export class Bucket<T> {
  readonly metrics = emptyBucketMetrics();
  /** Seconds that an entry lives at most by its strategy; null: until it is invalidated. */
  readonly ttlSeconds: number | null;
  private readonly readOptions: object;

  constructor(
    private readonly cache: CacheService,
    private readonly domain: string,
    readonly name: string,
    { strategy, ...options }: BucketOptions,
  ) {
    const seconds = strategySeconds(strategy);
    this.ttlSeconds = seconds ?? null;
    this.readOptions = seconds === undefined ? options : { ...options, ttlSeconds: seconds };
  }

  /** The key `domain:bucket:part[:part]`. */
  key(parts: readonly string[]): string {
    return buildKey(this.domain, this.name, parts);
  }

  /** The dependency by which exactly this entry is invalidated. */
  entry(parts: readonly string[]): Dependency {
    return entry(this.key(parts));
  }

  /** Reads through: see `CacheService.getOrSet`. Counts one hit, miss, coalesced or bypassed read, and an error if it rejects. */
  async get(parts: readonly string[], fetcher: Fetcher<T>, options: BucketReadOptions<T> = {}): Promise<T> {
    try {
      return await this.cache.getOrSet(this.key(parts), fetcher, {
        ...this.readOptions,
        ...(options.dependsOn && { dependsOn: options.dependsOn }),
        onOutcome: (outcome) => {
          this.metrics[COUNTER[outcome]]++;
          options.onOutcome?.(outcome);
        },
      });
    } catch (error) {
      this.metrics.errors++;
      throw error;
    }
  }
}
