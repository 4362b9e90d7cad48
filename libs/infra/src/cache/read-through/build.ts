import { reportDefect } from '../../process/defect-report.js';
import type { FetchContext } from '../cache.types.js';
import { entry, type Dependency } from '../dependencies.js';
import { FetchTimeoutError, StoreUnavailableError } from '../cache.errors.js';
import { FETCH_MS } from '../protocol/limits.js';
import type {
  CacheStore,
  CommitReply,
  CommitRequest,
  InvalidationNotice,
  LeaseEnd,
  StartPoint,
} from '../protocol/cache-store.js';
import type { ValueCodec } from '../protocol/value-codec.js';
import { DependencySet } from './dependency-set.js';
import { lifeMs, staleMs } from './get-or-set-options.js';
import { tellBuilt, type Waiter } from './waiters/waiter.js';

const [, FETCH_MS_MAX] = FETCH_MS;

/** The parts of the cache that builds use. */
export interface BuildHost {
  readonly store: CacheStore;
  readonly codec: ValueCodec;
}

/** One fetch under a lease: from the start point to the value, its dependencies, and the commit of both. */
export class Build {
  private readonly declared = new DependencySet();
  private readonly renewal: NodeJS.Timeout | undefined;
  private readonly overdue: NodeJS.Timeout;
  private readonly aborting = new AbortController();
  /** Set once the commit can only be refused. */
  isDoomed = false;

  constructor(
    private readonly host: BuildHost,
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
    const { key, options } = this.builder;
    try {
      const value = await fetchInTime(
        key,
        options.fetchTimeoutMs,
        () => this.builder.fetch(context),
        () => this.abort(),
      );
      const { dependsOn } = options;
      if (typeof dependsOn === 'function' && value !== undefined) this.add(dependsOn(value));
      return value;
    } finally {
      clearTimeout(this.overdue);
    }
  }

  /** The store's reply to the commit; `lost` if it is unknown, or the value depends on too much. */
  async commit(value: unknown, supersedes: CommitRequest['supersedes']): Promise<CommitReply> {
    const { key, options } = this.builder;
    const ttlMs = lifeMs(options.life, value);
    const isStored = ttlMs !== 0;
    const dependencies = this.declared.stored(key);
    if (!dependencies) {
      process.emitWarning(`${key} depends on too much to be cached`, { code: 'CACHE_TOO_MANY_DEPENDENCIES' });
      await releaseLease(this.host.store, { key, leaseId: this.leaseId });
      if (supersedes === 'always') await this.dropOlder();
      return 'lost';
    }
    if (this.declared.isFolded) tellBuilt(options, 'folded');
    try {
      return await this.host.store.commit({
        key,
        leaseId: this.leaseId,
        start: this.start,
        value: this.host.codec.encode(key, isStored ? value : null, isStored && options.sensitive),
        dependencies,
        // A TTL of zero asks for the check alone: nothing is stored, and the lease ends.
        ttlMs,
        staleMs: isStored ? staleMs(options) : 0,
        ...(supersedes && { supersedes }),
      });
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'lost';
      throw error;
    }
  }

  /** Whether an invalidation that came after this build's start touches one of its dependencies known so far. */
  isHitBy(dependencies: InvalidationNotice['dependencies']): boolean {
    if (dependencies === '*') return false; // it names no dependency: the commit will show
    const own = new Set<string>(this.declared.known(this.builder.key)).add(`k:${this.builder.key}`);
    return dependencies.some((d) => own.has(d));
  }

  /** Aborted when the cache closes or the fetch has taken too long. */
  get signal(): AbortSignal {
    return this.aborting.signal;
  }

  /**
   * Gives the build up: its lease is renewed no more, and its fetcher's signal is aborted. The commit still judges a
   * value that arrives, unless `fetchTimeoutMs` has passed.
   */
  abort(): void {
    this.stopRenewing();
    clearTimeout(this.overdue);
    this.aborting.abort();
  }

  /**
   * Call it when the lease is lost or no longer of use. The fetch may still run, so its time limit stays: perhaps
   * nothing else ends the flight.
   */
  stopRenewing(): void {
    clearInterval(this.renewal);
  }

  /** Removes the entry: the value is not stored, and nothing that was fetched before it may be served any more. */
  private async dropOlder(): Promise<void> {
    try {
      await this.host.store.invalidate([entry(this.builder.key)]);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error; // the journal repeats it before the next read
    }
  }

  private add(dependencies: readonly Dependency[]): void {
    this.declared.add(dependencies);
  }

  private async renew(): Promise<void> {
    try {
      const { key, options } = this.builder;
      if (!(await this.host.store.renew(key, this.leaseId, options.leaseMs))) this.stopRenewing();
    } catch (error) {
      // In an outage the next interval tries again. Any other error is a defect, and no caller waits for this.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }
}

/** Ends a lease that nobody builds under any more. In an outage it runs out by itself. */
export async function releaseLease(store: CacheStore, end: LeaseEnd): Promise<void> {
  try {
    await store.release(end);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) reportDefect(error); // a defect, and no caller waits for this
  }
}

/**
 * The result of the fetch. After `timeoutMs` it rejects with `CACHE_FETCH_TIMEOUT` and calls `abort`; a later result is
 * dropped, because a fetch can only be asked to stop. Without a timeout the fetch may take any time.
 */
export async function fetchInTime(
  key: string,
  timeoutMs: number | undefined,
  fetch: () => Promise<unknown>,
  abort: () => void,
): Promise<unknown> {
  if (timeoutMs === undefined) return fetch();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new FetchTimeoutError(key, timeoutMs)); // first, so that its waiters receive this error
      abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([fetch(), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
