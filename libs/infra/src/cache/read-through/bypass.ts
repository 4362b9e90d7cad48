import { bulkhead, BulkheadRejectedError, type BulkheadPolicy } from 'cockatiel';
import { CacheError } from '../cache.errors.js';
import { fetchInTime } from './timed-fetch.js';
import type { Waiter } from './waiter.js';
import { WaiterSet } from './waiter-set.js';

/** Keys that may wait for their turn. Beyond it the source would only be met by a longer queue. */
const QUEUE_MAX = 1000;
/** A running fetch delays the next one of its key by no more than this … */
const STAGGER_MS = 50;
/** … until so many of them are running; then the next waits for one to end, so that one slow key leaves room for others. */
const RUNNING_PER_KEY_MAX = 8;

/**
 * Answers from the source alone, while the store is away. Without the store nobody can vouch for a fetch that began
 * earlier, so callers share only a fetch that has not begun: those who come while one is running gather for the next,
 * which begins when it ends, or 50 ms after they began to gather. The source sees at most `concurrency` fetches at once.
 */
export class Bypass {
  /** Callers of a key whose fetch has not begun. */
  private readonly gatherings = new Map<string, WaiterSet>();
  private readonly running = new Map<string, number>();
  private readonly starts = new Map<string, () => void>();
  private readonly slots: BulkheadPolicy;

  constructor(
    concurrency: number,
    private readonly signal: AbortSignal,
  ) {
    this.slots = bulkhead(concurrency, QUEUE_MAX);
  }

  enter(waiter: Waiter): void {
    const open = this.gatherings.get(waiter.key);
    const gathering = open ?? new WaiterSet();
    gathering.add(waiter);
    if (open) return;
    this.gatherings.set(waiter.key, gathering);
    this.schedule(waiter.key);
  }

  private schedule(key: string): void {
    const running = this.running.get(key) ?? 0;
    const wait = running === 0 ? 0 : STAGGER_MS;
    const timer = running < RUNNING_PER_KEY_MAX ? setTimeout(() => this.starts.get(key)?.(), wait) : undefined;
    this.starts.set(key, () => {
      clearTimeout(timer);
      this.starts.delete(key);
      void this.start(key);
    });
  }

  private async start(key: string): Promise<void> {
    try {
      await this.slots.execute(() => this.fetch(key));
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      const overloaded = new CacheError('CACHE_OVERLOADED', 'the store is away and too many fetches are waiting', true);
      this.close(key)
        ?.takeAll()
        .forEach((waiter) => waiter.fail(overloaded));
    }
  }

  private async fetch(key: string): Promise<void> {
    const waiters = this.close(key);
    const [builder] = waiters ?? [];
    if (!waiters || !builder) return;
    waiters.waitForOther(builder);
    this.running.set(key, (this.running.get(key) ?? 0) + 1);
    try {
      if (this.signal.aborted)
        throw new CacheError('CACHE_CLOSED', 'the cache was closed while this call waited', false);
      const value = await this.call(builder);
      for (const waiter of waiters.takeAll()) waiter.succeed(value, 'bypass');
    } catch (error) {
      for (const waiter of waiters.takeAll()) waiter.fail(error);
    } finally {
      this.end(key);
    }
  }

  private async call({ key, fetcher, options }: Waiter): Promise<unknown> {
    const aborting = new AbortController();
    const abort = () => aborting.abort();
    this.signal.addEventListener('abort', abort, { once: true });
    try {
      const context = { dependsOn: () => undefined, signal: aborting.signal };
      return await fetchInTime(key, options.fetchTimeoutMs, () => fetcher(context), abort);
    } finally {
      this.signal.removeEventListener('abort', abort);
    }
  }

  /** Takes those who gathered; whoever comes now gathers anew. */
  private close(key: string): WaiterSet | undefined {
    const gathering = this.gatherings.get(key);
    this.gatherings.delete(key);
    return gathering;
  }

  private end(key: string): void {
    const left = (this.running.get(key) ?? 1) - 1;
    if (left > 0) this.running.set(key, left);
    else this.running.delete(key);
    this.starts.get(key)?.();
  }
}
