import { AsyncLocalStorage } from 'node:async_hooks';
import { bulkhead, type BulkheadPolicy } from 'cockatiel';

const held = new AsyncLocalStorage<Place>();

/**
 * The place of a fetch while the store is away. Reads made by the fetch may take it over while no other place is free:
 * the fetch waits for them anyway. So for a place such a read waits at most for other reads of the same fetch, and
 * fetches that read other keys cannot block each other. One read at a time uses the place, and its fetch is in turn a
 * place for the reads that it makes: at each depth no more fetches run than there are places.
 */
export class Place {
  private isHeld = true;
  private inner: BulkheadPolicy | undefined;

  constructor(private readonly queueMax: number) {}

  /** The place of the fetch that makes this call, at any depth; undefined if it has none, or has left it. */
  static get current(): Place | undefined {
    const place = held.getStore();
    return place?.isHeld === true ? place : undefined;
  }

  /** Calls the fetcher so that its reads find the place. */
  holding<T>(fetch: () => Promise<T>): Promise<T> {
    return held.run(this, fetch);
  }

  /** The fetch has ended, or its signal was aborted: its later reads take places like all others. */
  leave(): void {
    this.isHeld = false;
  }

  /** Runs the task when nothing else uses the place; rejects with `BulkheadRejectedError` if too many wait for it. */
  lend(task: () => Promise<void>): Promise<void> {
    this.inner ??= bulkhead(1, this.queueMax);
    return this.inner.execute(task);
  }
}
