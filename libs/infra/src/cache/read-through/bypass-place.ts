import { AsyncLocalStorage } from 'node:async_hooks';
import { bulkhead, type BulkheadPolicy } from 'cockatiel';

const held = new AsyncLocalStorage<Place>();

/**
 * The place that a fetch has while the store is away. What the fetch reads for itself may take it over while no other is
 * free: the fetch waits for that anyway. So whoever has a place never waits for one, and fetches that read other keys cannot
 * hold each other up. One reader at a time uses it, and the places of what that one reads in turn are its own: at each depth
 * no more fetches run than there are places.
 */
export class Place {
  private isHeld = true;
  private inner: BulkheadPolicy | undefined;

  constructor(private readonly queueMax: number) {}

  /** The place of the fetch that this is called from, at whatever depth; undefined if it has none, or none any more. */
  static get current(): Place | undefined {
    const place = held.getStore();
    return place?.isHeld === true ? place : undefined;
  }

  /** Calls the fetcher so that what it reads finds the place. */
  holding<T>(fetch: () => Promise<T>): Promise<T> {
    return held.run(this, fetch);
  }

  /** The fetch has ended, or has been told to: what it may still read takes places like everybody. */
  leave(): void {
    this.isHeld = false;
  }

  /** Runs it when nothing else uses the place; rejects with `BulkheadRejectedError` if too much waits for that. */
  lend(task: () => Promise<void>): Promise<void> {
    this.inner ??= bulkhead(1, this.queueMax);
    return this.inner.execute(task);
  }
}
