import { reportDefect } from '../../process/defect-report.js';
import type { FetchContext } from '../cache.types.js';
import type { Dependency } from '../dependencies.js';
import { StoreUnavailableError } from '../cache.errors.js';
import { FETCH_MS } from '../protocol/limits.js';
import type { CacheStore, InvalidationNotice, StartPoint } from '../protocol/cache-store.js';
import { DependencySet } from './dependency-set.js';
import { fetchInTime } from './timed-fetch.js';
import type { Waiter } from './waiters/waiter.js';

const [, FETCH_MS_MAX] = FETCH_MS;

/** One fetch under a lease: from the start point to the value and its dependencies. */
export class Build {
  private readonly declared = new DependencySet();
  private readonly renewal: NodeJS.Timeout | undefined;
  private readonly overdue: NodeJS.Timeout;
  private readonly aborting = new AbortController();
  /** Set once the commit can only be refused. */
  isDoomed = false;

  constructor(
    private readonly store: CacheStore,
    readonly builder: Waiter,
    readonly leaseId: string,
    readonly start: StartPoint,
    /** The number of the request to the store that granted the lease. */
    readonly request: number,
  ) {
    this.overdue = setTimeout(() => this.abort(), FETCH_MS_MAX).unref();
    const { dependsOn, renewLease, leaseMs } = builder.options;
    if (typeof dependsOn !== 'function') this.add(dependsOn);
    if (renewLease) this.renewal = setInterval(() => void this.renew(), leaseMs / 3).unref();
  }

  /**
   * Calls the fetcher. The dependencies are complete when it resolves. Rejects `CACHE_FETCH_TIMEOUT` after
   * `fetchTimeoutMs`.
   */
  async fetch(): Promise<unknown> {
    const context: FetchContext = { dependsOn: (...dependencies) => this.add(dependencies), signal: this.signal };
    const { key, fetcher, options } = this.builder;
    try {
      const value = await fetchInTime(
        key,
        options.fetchTimeoutMs,
        () => fetcher(context),
        () => this.abort(),
      );
      const { dependsOn } = options;
      if (typeof dependsOn === 'function' && value !== undefined) this.add(dependsOn(value));
      return value;
    } finally {
      clearTimeout(this.overdue);
    }
  }

  /** All dependencies as the store keeps them, folded if necessary; undefined if they are too many even so. */
  dependencies(): { readonly all: Dependency[]; readonly isFolded: boolean } | undefined {
    const all = this.declared.stored(this.builder.key);
    return all && { all, isFolded: this.declared.isFolded };
  }

  /** Whether an invalidation that came after this build's start touches one of its dependencies known so far. */
  isHitBy(dependencies: InvalidationNotice['dependencies']): boolean {
    if (dependencies === '*') return false; // unknown which: the commit will show
    const own = new Set<string>(this.declared.known(this.builder.key)).add(`k:${this.builder.key}`);
    return dependencies.some((d) => own.has(d));
  }

  /** Aborted when the cache closes or the fetch has taken too long. */
  get signal(): AbortSignal {
    return this.aborting.signal;
  }

  /**
   * Gives the build up: its lease runs out, and its fetcher's signal is aborted. The commit still judges a value that
   * arrives.
   */
  abort(): void {
    this.stopRenewing();
    clearTimeout(this.overdue);
    this.aborting.abort();
  }

  /**
   * Call it when the lease is lost or no longer of use. The fetch may still run, so its time limit stays: nothing else
   * may end its flight.
   */
  stopRenewing(): void {
    clearInterval(this.renewal);
  }

  private add(dependencies: readonly Dependency[]): void {
    this.declared.add(dependencies);
  }

  private async renew(): Promise<void> {
    try {
      const { key, options } = this.builder;
      if (!(await this.store.renew(key, this.leaseId, options.leaseMs))) this.stopRenewing();
    } catch (error) {
      // In an outage the next third tries again. Any other error is a defect, and no caller waits for this.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }
}
