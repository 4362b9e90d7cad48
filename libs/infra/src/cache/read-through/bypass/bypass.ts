import { BulkheadRejectedError } from 'cockatiel';
import { FairQueue } from '../../../process/fair-queue.js';
import { QueueFullError } from '../../../process/fair-queue.errors.js';
import { CacheError } from '../../cache.errors.js';
import { FETCH_MS } from '../../protocol/limits.js';
import { Place } from './bypass-place.js';
import { fetchInTime } from '../build.js';
import { isErrorOf, type Waiter, WaiterSet } from '../waiters/waiter.js';

/**
 * Maximum fetches that wait for a free place; callers of a further one are rejected with `CACHE_OVERLOADED`. A longer
 * queue would only make more callers wait for a source that cannot keep up.
 */
const QUEUE_MAX = 1000;
/** Maximum fetches of one group of callers that wait, if it is known who calls. */
const GROUP_QUEUE_MAX = 100;
/** Percentage of the places that one group of callers may have while there are others. */
const GROUP_SHARE_PERCENT = 50;
/**
 * How long callers of a key gather for the next fetch while another one of the key runs, in milliseconds. They wait
 * less if a running one ends earlier.
 */
const STAGGER_MS = 50;
/**
 * With this many fetches of a key running, the next one waits for one to end, so that a slow key leaves room for
 * others.
 */
const RUNNING_PER_KEY_MAX = 8;
const [, FETCH_MS_MAX] = FETCH_MS;

/**
 * Callers of a key that wait for one fetch, which has not begun. `lenders` are the places of callers that hold one: the
 * fetch may begin in any of these, or in a free place.
 */
interface Gathering {
  /** The group of the caller that began to gather: the fetch takes its turn. */
  readonly group: string | undefined;
  readonly waiters: WaiterSet;
  readonly lenders: Set<Place>;
}

/**
 * Answers from the source alone, while the store is away. Without the store nothing can vouch for a fetch that began
 * earlier, so callers share only a fetch that has not begun. Callers that arrive while one is running gather for the
 * next, which begins when a running one ends, or 50 ms after they began to gather unless too many of the key run. The
 * source sees at most `concurrency` fetches at once. Two kinds are not counted: a fetch whose signal was aborted, and a
 * fetch that began in the place of another fetch, which waits for it. Places go to groups in turn, where it is known
 * who calls.
 *
 * As with the store, `waitMs` bounds how long a caller waits for the fetches of others, and not its own fetch.
 */
export class Bypass {
  private readonly gatherings = new Map<string, Gathering>();
  private readonly running = new Map<string, number>();
  private readonly starts = new Map<string, () => void>();
  private readonly places: FairQueue;

  constructor(
    concurrency: number,
    private readonly signal: AbortSignal,
    /** Turns a fetched value into the value that every caller receives. */
    private readonly faithful: (builder: Waiter, value: unknown) => unknown = (_, value) => value,
  ) {
    this.places = new FairQueue({
      slots: concurrency,
      writeSlots: 0,
      sharePercent: GROUP_SHARE_PERCENT,
      accountQueueMax: GROUP_QUEUE_MAX,
      queueMax: QUEUE_MAX,
    });
    // The first of the signal's listeners, so that at the close no waiter takes a place that a running fetch leaves.
    signal.addEventListener('abort', () => this.refuseAll(), { once: true });
  }

  enter(waiter: Waiter): void {
    if (this.signal.aborted) {
      waiter.fail(closed());
      return;
    }
    const gathering = this.gatherings.get(waiter.key) ?? this.gather(waiter);
    // This follows the scheduling of the fetch: if nothing is in its way, the fetch begins before any `waitMs` runs
    // out, even 0.
    waiter.waitForOther();
    gathering.waiters.add(waiter);
    if (waiter.place) this.offer(waiter.key, gathering, waiter.place);
  }

  private gather({ key, group }: Waiter): Gathering {
    const gathering = { group, waiters: new WaiterSet(), lenders: new Set<Place>() };
    this.gatherings.set(key, gathering);
    this.schedule(key, gathering);
    return gathering;
  }

  /**
   * A caller that has a place has arrived. If the fetch is waiting for a free place already, it may also begin in the
   * caller's.
   */
  private offer(key: string, gathering: Gathering, place: Place): void {
    if (gathering.lenders.has(place)) return;
    gathering.lenders.add(place);
    if (!this.starts.has(key)) void this.beginIn((task) => place.lend(task), key, gathering);
  }

  private schedule(key: string, gathering: Gathering): void {
    const running = this.running.get(key) ?? 0;
    const wait = running === 0 ? 0 : STAGGER_MS;
    const timer = running < RUNNING_PER_KEY_MAX ? setTimeout(() => this.starts.get(key)?.(), wait) : undefined;
    this.starts.set(key, () => {
      clearTimeout(timer);
      this.starts.delete(key);
      this.start(key, gathering);
    });
  }

  /** The fetch begins in the first place that is available; the other attempts find that it has begun. */
  private start(key: string, gathering: Gathering): void {
    const isFree = this.places.hasFreeSlot;
    const request = { account: gathering.group, kind: 'read' } as const;
    void this.beginIn((task) => this.places.run(request, task), key, gathering);
    if (!isFree) for (const place of gathering.lenders) void this.beginIn((task) => place.lend(task), key, gathering);
  }

  private async beginIn(
    place: (task: () => Promise<void>) => Promise<void>,
    key: string,
    gathering: Gathering,
  ): Promise<void> {
    try {
      await place(() => this.fetch(key, gathering));
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError || error instanceof QueueFullError)) throw error;
      if (this.gatherings.get(key) === gathering) this.refuseFetchOf(key, gathering, error);
    }
  }

  /**
   * Settles when the fetch ends or its signal is aborted. A fetch that does not stop must not hold its place for ever.
   */
  private async fetch(key: string, gathering: Gathering): Promise<void> {
    if (this.gatherings.get(key) !== gathering) return; // begun in another place, or refused
    const waiters = this.close(key);
    const [builder] = waiters ?? [];
    if (!waiters || !builder) return; // no caller waits any more
    waiters.waitForOther(builder);
    this.running.set(key, (this.running.get(key) ?? 0) + 1);
    const place = new Place(QUEUE_MAX);
    const aborting = new AbortController();
    const abort = () => aborting.abort();
    const overdue = setTimeout(abort, FETCH_MS_MAX).unref();
    this.signal.addEventListener('abort', abort, { once: true });
    try {
      const stopped = new Promise<void>((resolve) => aborting.signal.addEventListener('abort', () => resolve()));
      await Promise.race([this.answer(waiters, builder, aborting, place), stopped]);
    } finally {
      place.leave();
      clearTimeout(overdue);
      this.signal.removeEventListener('abort', abort);
      this.end(key);
    }
  }

  /** Never rejects. */
  private async answer(waiters: WaiterSet, builder: Waiter, aborting: AbortController, place: Place): Promise<void> {
    const { key, options } = builder;
    const context = { dependsOn: () => undefined, signal: aborting.signal };
    try {
      const fetched = await fetchInTime(
        key,
        options.fetchTimeoutMs,
        () => place.holding(() => builder.fetch(context)),
        () => aborting.abort(),
      );
      const value = this.faithful(builder, fetched);
      for (const waiter of waiters.takeAll()) waiter.succeed(value, 'bypass');
    } catch (error) {
      for (const waiter of waiters.takeAll()) {
        if (waiter === builder || isErrorOf(waiter, error)) waiter.fail(error);
        else this.enter(waiter);
      }
    }
  }

  /** Takes the callers that have gathered; later callers gather anew. */
  private close(key: string): WaiterSet | undefined {
    const gathering = this.gatherings.get(key);
    this.gatherings.delete(key);
    return gathering?.waiters;
  }

  /** There is no place for the fetch. If its group has too many, the others gather for another. */
  private refuseFetchOf(key: string, { group }: Gathering, error: Error): void {
    const isOfGroup = error instanceof QueueFullError && error.bound === 'account';
    for (const waiter of this.close(key)?.takeAll() ?? []) {
      if (isOfGroup && waiter.group !== group) this.enter(waiter);
      else waiter.fail(overloaded());
    }
  }

  private refuse(key: string, reason: CacheError): void {
    for (const waiter of this.close(key)?.takeAll() ?? []) waiter.fail(reason);
  }

  /** The cache closes: rejects the callers whose fetch has not begun. */
  private refuseAll(): void {
    for (const key of [...this.gatherings.keys()]) this.refuse(key, closed());
  }

  private end(key: string): void {
    const left = (this.running.get(key) ?? 1) - 1;
    if (left > 0) this.running.set(key, left);
    else this.running.delete(key);
    this.starts.get(key)?.();
  }
}

function overloaded(): CacheError {
  return new CacheError('CACHE_OVERLOADED', 'the store is away and too many fetches are waiting', true);
}

function closed(): CacheError {
  return new CacheError('CACHE_CLOSED', 'the cache was closed while this call waited', false);
}
