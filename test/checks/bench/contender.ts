/** A measurement. A contender may have a reason why it cannot take part in one. */
export type Scenario = 'l1-hit' | 'l2-hit' | 'one-process' | 'four-processes' | 'fan-out' | 'memory' | 'cross-process';

/**
 * Where a contender keeps its entries: in the process, in Redis, or in both, with a bus between processes if it has
 * one.
 */
export type CacheMode = 'l1' | 'l2' | 'tiered';

export interface OpenOptions {
  readonly redisUrl: string;
  readonly mode: CacheMode;
  /** Whether entries will have dependencies; some contenders need other settings for that. */
  readonly hasDependencies?: boolean;
}

/**
 * The smallest common surface of all contenders. Dependencies are `Table:id`; others call them tags, references or
 * groups.
 */
export interface BenchCache {
  getOrSet(key: string, fetch: () => Promise<unknown>): Promise<unknown>;
  /** Stores a value that `invalidateDependency` drops for each of its dependencies. */
  fill(key: string, value: unknown, dependencies: readonly string[]): Promise<unknown>;
  invalidateKey(key: string): Promise<unknown>;
  invalidateDependency(dependency: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A measured cache: Evergreen, or a peer behind a thin adapter. */
export interface Contender {
  readonly name: string;
  /** The package whose version is printed, relative to `test/checks/bench`; none for Evergreen. */
  readonly packageName?: string;
  /** By scenario, why the contender cannot take part in it; nothing for those in which it can. */
  readonly cannot: Partial<Record<Scenario, string>>;
  open(options: OpenOptions): Promise<BenchCache>;
}
