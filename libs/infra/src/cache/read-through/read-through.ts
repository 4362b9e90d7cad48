import { setMaxListeners } from 'node:events';
import { NotAcknowledgedError, StoreUnavailableError } from '../cache.errors.js';
import type { Dependency } from '../dependencies.js';
import type { CacheStore, InvalidationNotice } from '../protocol/cache-store.js';
import type { ValueCodec } from '../protocol/value-codec.js';
import type { Build } from './build.js';
import { Bypass } from './bypass/bypass.js';
import { Flight, type FlightHost } from './flight.js';
import { LeaseWatches } from './lease-watch.js';
import { StoreClock } from './store-clock.js';
import { tellBuilt, type Waiter } from './waiters/waiter.js';

/**
 * Builds entries that the store does not have, once for all callers: by flights in this process, by leases across
 * processes.
 */
export class ReadThrough implements FlightHost {
  readonly leaseWatches = new LeaseWatches();
  readonly clock = new StoreClock();
  readonly signal: AbortSignal;
  readonly builds = new Set<Build>();
  requests = 0;
  private readonly flights = new Map<string, Flight>();
  /** Every flight under way, the detached ones (doomed, committing) included. */
  private readonly active = new Set<Promise<void>>();
  private readonly closing = new AbortController();
  private readonly outage: Bypass;

  constructor(
    readonly store: CacheStore,
    readonly codec: ValueCodec,
    bypassConcurrency: number,
  ) {
    this.signal = this.closing.signal;
    setMaxListeners(0, this.signal); // the bypass adds one for each fetch, and bounds its fetches itself
    const faithful = (waiter: Waiter, value: unknown): unknown => this.faithful(waiter, value);
    this.outage = new Bypass(bypassConcurrency, this.signal, faithful);
    store.onLeaseEnd((end) => this.leaseWatches.receive(end));
    store.onInvalidation((notice) => this.receive(notice));
    store.onOutage(() => this.abandonStore());
  }

  /** Whether a fetch is under way in this process that a caller may join instead of asking the store. */
  isBuilding(key: string): boolean {
    return this.flights.get(key)?.isOpenToReaders ?? false;
  }

  enter(waiter: Waiter): void {
    const open = this.flights.get(waiter.key);
    if (open) {
      open.join(waiter);
      return;
    }
    const flight = new Flight(this, waiter.key);
    this.flights.set(waiter.key, flight);
    flight.join(waiter);
    const run: Promise<void> = flight.run().finally(() => this.active.delete(run));
    this.active.add(run);
  }

  /** Begins a flight for a background build; false if a flight of the key is open, or the cache is closed. */
  enterUnlessBusy(waiter: Waiter): boolean {
    if (this.signal.aborted || this.flights.has(waiter.key)) return false;
    this.enter(waiter);
    return true;
  }

  faithful(waiter: Waiter, value: unknown): unknown {
    const given = this.codec.faithful(waiter.key, value);
    if (given.isReshaped) tellBuilt(waiter.options, 'reshaped');
    return given.value;
  }

  bypass(waiter: Waiter): void {
    waiter.bypassIn(this.outage);
  }

  detach(flight: Flight): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key);
  }

  /**
   * Runs an invalidation of this process; rejects `CACHE_NOT_ACKNOWLEDGED` if the store is away. Once it is
   * acknowledged, builds of this process that began before, and are known to depend on it, have lost their claim, so
   * the next caller does not wait for them.
   */
  async acknowledged<T>(
    operation: string,
    dependencies: readonly Dependency[],
    invalidate: () => Promise<T>,
  ): Promise<T> {
    const before = [...this.flights.values()].filter((flight) => flight.building);
    try {
      const result = await invalidate();
      for (const flight of before) flight.doom(dependencies);
      return result;
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw new NotAcknowledgedError(operation, { cause: error });
      throw error;
    }
  }

  /** Aborts the signal of every running fetch. Callers that share such a fetch still receive its result. */
  close(): void {
    this.closing.abort();
    for (const build of this.builds) build.abort();
  }

  /** Resolves when no flight is under way. */
  async idle(): Promise<void> {
    while (this.active.size > 0) await Promise.all(this.active);
  }

  /** In an outage: releases the waiters that wait for an answer which only the store could give. */
  private abandonStore(): void {
    this.leaseWatches.wakeAll();
    for (const flight of [...this.flights.values()]) flight.abandonStore();
  }

  private receive(notice: InvalidationNotice): void {
    for (const flight of [...this.flights.values()]) {
      const { building } = flight;
      if (building && notice.isAfter(flight.key, building.start)) flight.doom(notice.dependencies);
    }
  }
}
