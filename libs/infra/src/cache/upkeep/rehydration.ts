import type { Fetcher } from '../cache.types.js';
import type { BackgroundBuilds, BackgroundResult } from '../read-through/background-builds.js';
import type { ResolvedOptions } from '../read-through/get-or-set-options.js';
import type { CacheStore } from '../protocol/cache-store.js';
import type { RecentReads } from './recent-reads.js';
import { TokenBucket } from './token-bucket.js';

/**
 * Maximum random delay of a build, in milliseconds. Processes that receive the same invalidation then do not all ask at
 * once: the first one's lease or entry spares the others.
 */
const SPREAD_MS = 250;
/** Maximum entries of a source that wait for their turn; the excess is left to the next reader. */
const WAITING_MAX = 1000;
/**
 * Maximum tries of a build that is `refused` or `skipped` (see `BackgroundResult`). The next try follows after 250, 500
 * and 1,000 ms, and a random part of `SPREAD_MS`.
 */
const TRIES_MAX = 4;

/** How the entries of one bucket are rebuilt. */
export interface RehydratedBucket {
  readonly recent: RecentReads;
  readonly fetcherOf: (parts: readonly string[]) => Fetcher<unknown>;
  readonly options: ResolvedOptions;
  readonly source: string;
  readonly perSecond: number;
}

interface Job {
  readonly key: string;
  readonly fetcher: Fetcher<unknown>;
  readonly options: ResolvedOptions;
  readonly dueAt: number;
  readonly tries: number;
}

/**
 * Rebuilds entries that an invalidation has dropped, if they were read in this process lately: ordinary builds, from a
 * start point after the invalidation, one per key over all processes. What the sweeper drops after a deferred
 * invalidation is not rebuilt: it would be too much to fetch, and the store does not report its keys.
 */
export class Rehydration {
  private readonly buckets = new Map<string, RehydratedBucket>();
  private readonly sources = new Map<string, SourceQueue>();
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: CacheStore,
    private readonly builds: BackgroundBuilds,
  ) {}

  /** @param prefix the domain and bucket that begin the keys, with their colons */
  register(prefix: string, bucket: RehydratedBucket): void {
    this.buckets.set(prefix, bucket);
    this.unsubscribe ??= this.store.onDropped((keys) => this.dropped(keys)); // subscribes only if a bucket needs it
    const known = this.sources.get(bucket.source);
    if (known) known.limitTo(bucket.perSecond);
    else this.sources.set(bucket.source, new SourceQueue(bucket.perSecond, (job) => this.build(job)));
  }

  /** Nothing is rebuilt from now on. */
  close(): void {
    this.unsubscribe?.();
    for (const source of this.sources.values()) source.close();
  }

  private dropped(keys: readonly string[]): void {
    for (const key of keys) {
      const bucket = this.buckets.get(prefixOf(key));
      const parts = bucket?.recent.partsOf(key);
      if (!bucket || !parts) continue;
      const { options, source, fetcherOf } = bucket;
      const fetcher: Fetcher<unknown> = async (context) => fetcherOf(parts)(context);
      this.sources.get(source)?.add({ key, fetcher, options, ...soon(1) });
    }
  }

  private build({ key, fetcher, options }: Job): Promise<BackgroundResult> {
    return this.builds.run(key, fetcher, options, { isRehydration: true });
  }
}

/** The entries of one source that wait to be rebuilt, each once, no faster than its rate. */
class SourceQueue {
  private readonly jobs = new Map<string, Job>();
  private readonly rate: TokenBucket;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    perSecond: number,
    private readonly build: (job: Job) => Promise<BackgroundResult>,
  ) {
    this.rate = new TokenBucket(perSecond);
  }

  limitTo(perSecond: number): void {
    this.rate.limitTo(perSecond);
  }

  add(job: Job): void {
    if (this.isClosed || this.jobs.has(job.key) || this.jobs.size >= WAITING_MAX) return;
    this.jobs.set(job.key, job);
    this.schedule();
  }

  close(): void {
    this.isClosed = true;
    this.jobs.clear();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(): void {
    if (this.timer || this.jobs.size === 0) return;
    const dueAt = Math.min(...[...this.jobs.values()].map((job) => job.dueAt));
    const waitMs = Math.max(1, dueAt - performance.now(), this.rate.waitMs);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.start();
      this.schedule();
    }, waitMs).unref();
  }

  private start(): void {
    for (const [key, job] of this.jobs) {
      if (job.dueAt > performance.now()) continue;
      if (!this.rate.take()) return;
      this.jobs.delete(key);
      void this.run(job);
    }
  }

  private async run(job: Job): Promise<void> {
    const result = await this.build(job);
    if (result === 'unneeded' || result === 'skipped') this.rate.giveBack(); // the source was not asked
    const isWorthAnother = (result === 'refused' || result === 'skipped') && job.tries < TRIES_MAX;
    if (isWorthAnother) this.add({ ...job, ...soon(job.tries + 1) });
  }
}

function soon(tries: number): Pick<Job, 'dueAt' | 'tries'> {
  const waitMs = tries === 1 ? 0 : SPREAD_MS * 2 ** (tries - 2);
  return { dueAt: performance.now() + waitMs + Math.random() * SPREAD_MS, tries };
}

/** The key up to its second colon: `domain:bucket:` for a key built by a bucket. '' for a key with fewer colons. */
function prefixOf(key: string): string {
  return key.slice(0, key.indexOf(':', key.indexOf(':') + 1) + 1);
}
