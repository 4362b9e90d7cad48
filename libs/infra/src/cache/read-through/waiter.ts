import { reportDefect } from '../defect-report.js';
import type { BuildEvent, Fetcher, ReadOutcome } from '../cache.types.js';
import type { StoredValue } from '../store/cache-store.js';
import { Place } from './bypass-place.js';
import { isYoungEnough } from './entry-age.js';
import type { ResolvedOptions } from './get-or-set-options.js';

/** Marks a build that no caller waits for: it ends as soon as somebody else is found to build the key. */
export interface Background {
  /** Build although there is a valid entry, if this says so of it at the store's time; else only where there is none. */
  readonly isDue?: (stored: StoredValue, now: number) => boolean;
  /** It follows an invalidation, not a hit. */
  readonly isRehydration?: boolean;
}

/** What a background waiter's `answer` resolves to. */
export interface BackgroundAnswer {
  /** `miss`: it fetched itself. */
  readonly outcome: ReadOutcome;
  readonly isStored: boolean;
}

/** One caller that has not been answered yet. Kept small: thousands of them may wait for one build. */
export class Waiter {
  readonly answer: Promise<unknown>;
  /** That of the fetch that it is asked from, while the store is away. */
  readonly place = Place.current;
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
    /** By `performance.now()`. Those who come together may share it: to read a clock takes a tenth of what a waiter does. */
    private readonly arrivedAt = performance.now(),
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /**
   * Whether whatever answers this one is right for a caller with these options who comes now, when so many requests have
   * been sent to the store. He must share the read of the store that this one waits for: then no time has passed between.
   */
  cameWith(options: ResolvedOptions, requests: number): boolean {
    return options === this.options && requests === this.requestsBefore && this.place === Place.current;
  }

  /** It has come, when so many requests had been sent to the store. The first call counts. */
  arrive(requests: number): void {
    this.requestsBefore ??= requests;
  }

  /** Whether it had come when this request was sent: then what the request brings may answer it unconditionally. */
  arrivedBefore(request: number): boolean {
    return this.requestsBefore !== undefined && this.requestsBefore < request;
  }

  /**
   * Whether it may have this entry, where the store's time is `latest` at the most. For one that nobody waits for: whether
   * that leaves nothing to build.
   */
  accepts(stored: StoredValue, latest: number): boolean {
    if (this.background) return !this.background.isDue?.(stored, latest);
    return this.acceptsFetchOf(stored.fetchedAt, latest);
  }

  /** Likewise by the time alone at which its fetch began. Who refuses is told so by `onTooOld`, once the age is known. */
  acceptsFetchOf(fetchedAt: number | undefined, latest: number): boolean {
    if (this.background || isYoungEnough(fetchedAt, this.options.maxAgeSeconds, latest)) return true;
    if (latest !== Infinity && !this.hasBeenTold) {
      this.hasBeenTold = true;
      this.tellTooOld();
    }
    return false;
  }

  /** When its patience ends, by `performance.now()`; it begins with the call, and counts from when it waits for somebody. */
  get deadline(): number {
    return this.waits && !this.builds ? this.arrivedAt + this.options.waitMs : Infinity;
  }

  /** Whether it has waited for somebody else's build. */
  get hasWaited(): boolean {
    return this.waits;
  }

  /** Likewise for one that is no older than it wants: what it is answered with binds the reads after it. */
  get awaitedYounger(): boolean {
    return this.waits && !this.background && this.options.maxAgeSeconds !== undefined;
  }

  /** From here on it waits for somebody else, for at most `waitMs` since it came. */
  waitForOther(): void {
    this.waits = true;
    this.builds = false;
  }

  /** From here on it fetches itself, so `waitMs`, which bounds waiting for others, no longer applies. */
  becomeBuilder(): void {
    this.builds = true;
  }

  /**
   * @param isStored whether this answer comes of a build whose value has become the entry
   * @param _copy makes the value once more, of a hit, for those who are answered together
   */
  succeed(value: unknown, outcome: ReadOutcome, isStored = false, _copy?: () => unknown): void {
    this.resolve(this.background ? ({ outcome, isStored } satisfies BackgroundAnswer) : value);
    tellOutcome(this.options.onOutcome, outcome);
  }

  fail(error: unknown): void {
    this.reject(error);
  }

  protected tellTooOld(): void {
    tellTooOld(this.options);
  }
}

/** Tells a caller that there was an entry which was too old for it. */
export function tellTooOld({ onTooOld }: ResolvedOptions): void {
  try {
    onTooOld?.();
  } catch (error) {
    reportDefect(error);
  }
}

/** Tells what had to be done to a build, so that it could be kept. The listener's errors are its own. */
export function tellBuilt({ onBuilt }: ResolvedOptions, event: BuildEvent): void {
  try {
    onBuilt?.(event);
  } catch (error) {
    reportDefect(error);
  }
}

/** Tells a caller how it is answered. Its listener's errors are its own: they reach no other caller. */
export function tellOutcome(listener: ((outcome: ReadOutcome) => void) | undefined, outcome: ReadOutcome): void {
  try {
    listener?.(outcome);
  } catch (error) {
    reportDefect(error);
  }
}
