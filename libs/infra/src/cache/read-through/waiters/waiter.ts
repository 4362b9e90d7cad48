import { reportDefect } from '../../../process/defect-report.js';
import { isCallerError, WaitTimeoutError } from '../../cache.errors.js';
import type { BuildEvent, FetchContext, Fetcher, ReadOutcome } from '../../cache.types.js';
import { OUTCOME_COUNTER } from '../../counters/bucket-metrics.js';
import type { StoredValue } from '../../protocol/cache-store.js';
import { Place } from '../bypass/bypass-place.js';
import { isYoungEnough } from '../entry-age.js';
import type { ResolvedOptions } from '../get-or-set-options.js';

/** Marks a build that no caller waits for: it ends as soon as somebody else is found to build the key. */
export interface Background {
  /**
   * Build although there is a valid entry, if this returns true for it; `now` is the latest that the store's time can
   * be. Without this function, build only if there is no valid entry.
   */
  readonly isDue?: (stored: StoredValue, now: number) => boolean;
  /** The build follows an invalidation, not a hit. */
  readonly isRehydration?: boolean;
}

/** Answers waiters from the source alone, while the store is away. */
export interface Outage {
  enter(waiter: Waiter): void;
}

/** The result of a background waiter's `answer`. */
export interface BackgroundAnswer {
  /** `miss`: its own build fetched. */
  readonly outcome: ReadOutcome;
  readonly isStored: boolean;
}

/** One caller that is not answered yet. Kept small: thousands of them may wait for one build. */
export class Waiter {
  readonly answer: Promise<unknown>;
  /** The place of the fetch that makes this call, if one does while the store is away. */
  readonly place = Place.current;
  /** For whom it reads, and fetches if the fetch is its own. */
  readonly caller: unknown;
  private requestsBefore: number | undefined;
  protected resolve!: (value: unknown) => void;
  private reject!: (error: unknown) => void;
  private waits = false;
  private builds = false;
  private hasBeenTold = false;

  constructor(
    readonly key: string,
    readonly fetcher: Fetcher<unknown>,
    readonly options: ResolvedOptions,
    readonly background?: Background,
    /**
     * By `performance.now()`. Callers that arrive together may share it: reading a clock takes a tenth of a waiter's
     * time.
     */
    private readonly arrivedAt = performance.now(),
  ) {
    this.caller = options.callers?.current();
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /**
   * Whether a caller arriving now may share this waiter's answer: same options, same place, same caller, and no flight
   * has sent a request since this waiter arrived. The caller must share this waiter's unsent read of the store: then no
   * time has passed between them.
   */
  cameWith(options: ResolvedOptions, requests: number): boolean {
    return (
      options === this.options &&
      requests === this.requestsBefore &&
      this.place === Place.current &&
      this.caller === options.callers?.current()
    );
  }

  /** The group of its caller, for turns while the store is away. */
  get group(): string | undefined {
    return this.options.callers?.groupOf(this.caller);
  }

  /** Calls its fetcher so that it runs for its own caller, not for that of the work that makes this call. */
  fetch(context: FetchContext): Promise<unknown> {
    const { callers } = this.options;
    return callers ? callers.run(this.caller, () => this.fetcher(context)) : this.fetcher(context);
  }

  /** Records its arrival, after this many requests to the store. The first call counts. */
  arrive(requests: number): void {
    this.requestsBefore ??= requests;
  }

  /**
   * Whether it had arrived when this request was sent: then the result of the request is recent enough to answer it,
   * apart from the limits of `accepts`.
   */
  arrivedBefore(request: number): boolean {
    return this.requestsBefore !== undefined && this.requestsBefore < request;
  }

  /**
   * Whether it may have this entry, if the store's time is at most `latest`. For a background waiter: whether the entry
   * leaves nothing to build.
   */
  accepts(stored: StoredValue, latest: number): boolean {
    if (this.background) return !this.background.isDue?.(stored, latest);
    return this.acceptsFetchOf(stored.fetchedAt, latest);
  }

  /**
   * Like `accepts`, by the start of the fetch alone; a background waiter accepts any. A refusal is reported to
   * `onTooOld` once, if the age is known.
   */
  acceptsFetchOf(fetchedAt: number | undefined, latest: number): boolean {
    if (this.background || isYoungEnough(fetchedAt, this.options.maxAgeSeconds, latest)) return true;
    if (latest !== Infinity && !this.hasBeenTold) {
      this.hasBeenTold = true;
      this.tellTooOld();
    }
    return false;
  }

  /**
   * When `waitMs`, counted from its arrival, runs out, by `performance.now()`. `Infinity` unless it is waiting for
   * somebody else.
   */
  get deadline(): number {
    return this.waits && !this.builds ? this.arrivedAt + this.options.waitMs : Infinity;
  }

  /** Whether it has waited for somebody else. */
  get hasWaited(): boolean {
    return this.waits;
  }

  /**
   * Whether it has waited for somebody else's build under a `maxAgeSeconds`. Once it is answered, no L1 may serve an
   * older value: see `CacheStore.settle`.
   */
  get awaitedYounger(): boolean {
    return this.waits && !this.background && this.options.maxAgeSeconds !== undefined;
  }

  /** From now on it waits for somebody else, for at most `waitMs` since it arrived. */
  waitForOther(): void {
    this.waits = true;
    this.builds = false;
  }

  /** From now on it fetches itself, so `waitMs`, which bounds waiting for others, no longer applies. */
  becomeBuilder(): void {
    this.builds = true;
  }

  /**
   * @param isStored whether the answer comes from a build whose value has become the entry
   * @param _copy gives the value of a hit once more: a copy for each caller of a group, unless an L1 shares the value
   */
  succeed(value: unknown, outcome: ReadOutcome, isStored = false, _copy?: () => unknown): void {
    this.resolve(this.background ? ({ outcome, isStored } satisfies BackgroundAnswer) : value);
    tellOutcome(this.options, outcome);
  }

  fail(error: unknown): void {
    this.reject(error);
  }

  /** The store is away: it waits for the source alone. */
  bypassIn(outage: Outage): void {
    outage.enter(this);
  }

  protected tellTooOld(): void {
    tellTooOld(this.options);
  }
}

/** Whether the error of a fetch that it shared is also its own: only that of another caller is not. */
export function isErrorOf({ caller }: Waiter, error: unknown): boolean {
  return !isCallerError(error) || error.concerns(caller);
}

/** Notifies a caller that there was an entry too old for it. An error of the listener is reported as a defect. */
export function tellTooOld({ onTooOld }: ResolvedOptions): void {
  try {
    onTooOld?.();
  } catch (error) {
    reportDefect(error);
  }
}

/** Notifies the listener of a change that a build's value needed. An error of the listener is reported as a defect. */
export function tellBuilt({ onBuilt }: ResolvedOptions, event: BuildEvent): void {
  try {
    onBuilt?.(event);
  } catch (error) {
    reportDefect(error);
  }
}

/**
 * Counts how a caller is answered, and notifies it. An error of its listener is reported as a defect and reaches no
 * other caller.
 */
export function tellOutcome({ counts, onOutcome }: ResolvedOptions, outcome: ReadOutcome): void {
  if (counts) counts[OUTCOME_COUNTER[outcome]]++;
  try {
    onOutcome?.(outcome);
  } catch (error) {
    reportDefect(error);
  }
}

/**
 * Callers that wait together, in the order of arrival. A caller whose `waitMs` runs out is rejected and leaves; one
 * timer serves all.
 */
export class WaiterSet implements Iterable<Waiter> {
  private waiters: Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;

  get size(): number {
    return this.waiters.length;
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.waiters.values();
  }

  add(waiter: Waiter): void {
    this.waiters.push(waiter);
    if (waiter.deadline < this.wakesAt) this.wakeAt(waiter.deadline);
  }

  /** From now on `builder`, if there is one, builds, and the others wait for somebody else. */
  waitForOther(builder?: Waiter): void {
    let next = Infinity;
    for (const waiter of this.waiters) {
      if (waiter === builder) waiter.becomeBuilder();
      else waiter.waitForOther();
      next = Math.min(next, waiter.deadline);
    }
    this.wakeAt(next);
  }

  /** Removes and returns the wanted waiters. */
  take(wanted: (waiter: Waiter) => boolean): Waiter[] {
    const taken: Waiter[] = [];
    const left: Waiter[] = [];
    for (const waiter of this.waiters) (wanted(waiter) ? taken : left).push(waiter);
    this.waiters = left;
    if (left.length === 0) this.wakeAt(Infinity);
    return taken;
  }

  /** Removes and returns all. */
  takeAll(): Waiter[] {
    return this.take(() => true);
  }

  private wakeAt(deadline: number): void {
    clearTimeout(this.timer);
    this.wakesAt = deadline;
    this.timer = deadline === Infinity ? undefined : setTimeout(() => this.expire(), deadline - performance.now());
  }

  private expire(): void {
    const now = performance.now();
    for (const waiter of this.take(({ deadline }) => deadline <= now)) {
      waiter.fail(new WaitTimeoutError(waiter.key, waiter.options.waitMs));
    }
    let next = Infinity;
    for (const { deadline } of this.waiters) next = Math.min(next, deadline);
    this.wakeAt(next);
  }
}
