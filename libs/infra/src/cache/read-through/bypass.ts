import { bulkhead, BulkheadRejectedError, type BulkheadPolicy } from 'cockatiel';
import { CacheError } from '../cache.errors.js';
import type { Waiter } from './waiter.js';
import { WaiterSet } from './waiter-set.js';

/** Keys that may wait for their turn. Beyond it the source would only be met by a longer queue. */
const QUEUE_MAX = 1000;
/** A running fetch delays the next one of its key by no more than this. */
const STAGGER_MS = 50;

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
    const start = () => {
      clearTimeout(timer);
      this.starts.delete(key);
      void this.start(key);
    };
    const timer = setTimeout(start, this.running.has(key) ? STAGGER_MS : 0);
    this.starts.set(key, start);
  }

  private async start(key: string): Promise<void> {
    try {
      await this.slots.execute(() => this.fetch(key));
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      const overloaded = new CacheError('CACHE_OVERLOADED', 'the store is away and too many fetches are waiting', true);
      this.close(key).forEach((waiter) => waiter.fail(overloaded));
    }
  }

  private async fetch(key: string): Promise<void> {
    const waiters = this.close(key);
    const [builder] = waiters;
    if (!builder) return;
    this.running.set(key, (this.running.get(key) ?? 0) + 1);
    try {
      const value = await builder.fetcher({ dependsOn: () => undefined, signal: this.signal });
      waiters.forEach((waiter) => waiter.succeed(value, 'bypass'));
    } catch (error) {
      waiters.forEach((waiter) => waiter.fail(error));
    } finally {
      this.end(key);
    }
  }

  /** Takes those who gathered; whoever comes now gathers anew. */
  private close(key: string): Waiter[] {
    const gathering = this.gatherings.get(key);
    this.gatherings.delete(key);
    return gathering?.takeAll() ?? [];
  }

  private end(key: string): void {
    const left = (this.running.get(key) ?? 1) - 1;
    if (left > 0) this.running.set(key, left);
    else this.running.delete(key);
    this.starts.get(key)?.();
  }
}
