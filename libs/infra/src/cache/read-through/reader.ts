import { reportDefect } from '../../process/defect-report.js';
import { BuildFailedError, StoreUnavailableError, WaitTimeoutError } from '../cache.errors.js';
import type { CacheBucketMetrics, DirectReads, Fetcher, GetOrSetOptions } from '../cache.types.js';
import type { CacheStore, L1Hit, L1Reads, StoredValue, StoreRead } from '../protocol/cache-store.js';
import type { ValueCodec } from '../protocol/value-codec.js';
import { emptyBucketMetrics } from '../counters/bucket-metrics.js';
import { resolveGetOrSetOptions, type ReadDefaults, type ResolvedOptions } from './get-or-set-options.js';
import { isYoungEnough } from './entry-age.js';
import { pollMs } from './lease-watch.js';
import type { ReadThrough } from './read-through.js';
import { WaiterGroup } from './waiters/waiter-group.js';
import { tellTooOld, Waiter } from './waiters/waiter.js';

/** Options as a caller gives them, or as a bucket has had them resolved. */
export type GivenOptions<T> = number | GetOrSetOptions<T> | ResolvedOptions | undefined;

/**
 * One read of the store. The first caller awaits its reply itself; `others` are the callers that share it. `request`
 * and `others` are emptied after the answer.
 */
interface SharedRead {
  /**
   * When the first of `others` arrived, by `performance.now()`. They join only while the request is not sent yet, so
   * all of them arrived about then.
   */
  at: number | undefined;
  request: StoreRead | undefined;
  readonly others: Waiter[];
}

/** What a hit starts without waiting for it. */
export interface HitUpkeep {
  /** After a hit in the store, whose reply holds the entry's times. */
  afterHit(key: string, stored: StoredValue, value: unknown, fetcher: Fetcher<unknown>, options: ResolvedOptions): void;
  /** After a hit in this process, with its answer. */
  afterL1Hit(key: string, answer: Promise<unknown>, fetcher: Fetcher<unknown>, options: ResolvedOptions): void;
}

/**
 * Reads entries: from the L1, else from the store, else (`getOrSet`) from the source. Every call of the cache that
 * reads an entry passes here, except `lock`.
 */
export class Reader {
  /** Count the answers of reads whose options nobody has had resolved before: those of direct calls. */
  private readonly direct = emptyBucketMetrics();
  private l1: L1Reads | undefined;
  private readonly noOptions: ResolvedOptions;
  /** For each key, the last read that is not answered yet. */
  private readonly reads = new Map<string, SharedRead>();

  constructor(
    private readonly store: CacheStore,
    private readonly codec: ValueCodec,
    private readonly readThrough: ReadThrough,
    private readonly defaults: ReadDefaults,
    /** Throws if the key must not be read; the caller must await a returned promise first. */
    readonly admit: (key: string) => Promise<void> | undefined,
    private readonly upkeep: HitUpkeep,
  ) {
    this.l1 = store.l1;
    this.noOptions = this.resolve(undefined);
  }

  /** How direct calls were answered. */
  directReads(): DirectReads {
    const { hits, misses, coalesced, bypassed, stale } = this.direct;
    return { hits, misses, coalesced, bypassed, stale };
  }

  /** From now on the L1 answers nothing, so that every read is refused by `admit`. */
  close(): void {
    this.l1 = undefined;
  }

  /**
   * The value that the L1 has for this read, or undefined. The L1 does not know the age of its values, so a read that
   * limits the age asks the store.
   */
  findInL1<T>(key: string, given?: GivenOptions<T>): Promise<T> | undefined {
    return isBounded(given) ? undefined : (this.l1?.find(key) as Promise<T> | undefined);
  }

  /** The entry of the L1 under this key, for `serveAtRest`, whether it may be served or not. */
  entryInL1(key: string): L1Hit | undefined {
    return this.l1?.entry(key);
  }

  /**
   * The value of this entry of the L1, counted as a hit, if it may be served and the hit starts no work; else undefined,
   * and the caller calls `getOrSet`. `now` is the instant by `hitClock()`, read in this turn.
   */
  serveAtRest<T>(entry: L1Hit, options: ResolvedOptions, now: number): Promise<T> | undefined {
    const { l1 } = this;
    const { maxAgeSeconds, upkeepMs, counts } = options;
    if (l1 === undefined || maxAgeSeconds !== undefined) return undefined;
    const answer = l1.serve(entry, now);
    if (answer === undefined) return undefined;
    if (upkeepMs !== undefined && mayEndWithin(upkeepMs, l1.remainingMsOf(entry, now))) return undefined;
    if (counts !== undefined) counts.hits++;
    return answer as Promise<T>;
  }

  /**
   * The entry's value. Undefined if there is none and nobody builds or locks it (with `waitMs` 0: even if somebody
   * does), or if the store does not answer. Rejects `CACHE_WAIT_TIMEOUT` if somebody still does after `waitMs`, and
   * `CACHE_BUILD_FAILED` when it hears that the build has failed.
   */
  async get<T>(key: string, waitMs: number): Promise<T | undefined> {
    try {
      const found = (await this.read<T>(key)) ?? (waitMs > 0 ? await this.waitFor<T>(key, waitMs) : undefined);
      return found?.value;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  /** The valid entry, or undefined. */
  private async read<T>(key: string): Promise<{ readonly value: T } | undefined> {
    const answer = this.findInL1<T>(key);
    if (answer) return { value: await answer };
    const stored = await this.store.read(key);
    return stored && this.decode<T>(key, stored);
  }

  /** The entry, once there is one within `waitMs`; undefined if there is none and nobody builds or locks it. */
  private async waitFor<T>(key: string, waitMs: number): Promise<{ readonly value: T } | undefined> {
    const deadline = performance.now() + waitMs;
    for (let attempt = 0; ; attempt++) {
      const watch = this.readThrough.leaseWatches.watch(key);
      try {
        const { status, leaseId = '', expiresInMs = 0 } = await this.store.status(key);
        if (status === 'empty') return undefined;
        if (status === 'exists') return await this.read<T>(key);
        const left = deadline - performance.now();
        if (left <= 0) throw new WaitTimeoutError(key, waitMs);
        const end = await watch.wait(leaseId, Math.min(left, pollMs(attempt, expiresInMs)));
        if (end?.failure) throw new BuildFailedError(end.failure.code, end.failure.message);
      } finally {
        watch.close();
      }
    }
  }

  /** Counts a hit in this process, and starts its upkeep. Nothing here waits. */
  afterL1Hit<T>(key: string, answer: Promise<unknown>, fetcher: Fetcher<T>, given: GivenOptions<T>): void {
    countHit(given, this.direct);
    if (typeof given !== 'object') return;
    if (needsUpkeep(given)) this.upkeep.afterL1Hit(key, answer, fetcher, this.resolve(given));
  }

  /** The entry's value, or the fetched one. */
  getOrSet<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<T> {
    // Not an async function: that would add a promise to each hit in this process.
    const answer = this.findInL1(key, given);
    if (answer === undefined) return this.getOrSetInStore(key, fetcher, given);
    this.afterL1Hit(key, answer, fetcher, given);
    return answer;
  }

  private getOrSetInStore<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<T> {
    // Not an async function: when ten thousand callers arrive together, nearly all of them cost only one promise.
    try {
      const shared = this.reads.get(key);
      const isAdmitted = shared !== undefined && !this.readThrough.signal.aborted; // like the read under way
      const opening = isAdmitted ? undefined : this.admit(key);
      if (opening) return opening.then(() => this.getOrSet(key, fetcher, given));
      if (this.readThrough.isBuilding(key)) return this.build(this.waiter(key, fetcher, given), false);
      if (shared?.request?.isOpen) return this.join(shared, key, fetcher, given);
      const read = { request: this.store.requestRead(key), others: [], at: undefined };
      return this.readOrBuild(key, fetcher, given, read);
    } catch (error) {
      const reason = error as Error;
      return Promise.reject(reason);
    }
  }

  private join<T>(read: SharedRead, key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<T> {
    const { requests } = this.readThrough;
    const options = this.optionsOf(given);
    const last = read.others.at(-1);
    const isTogether = last?.cameWith(options, requests) ?? false;
    if (isTogether && last instanceof WaiterGroup) return last.join() as Promise<T>;
    read.at ??= performance.now();
    const waiter = new (isTogether ? WaiterGroup : Waiter)(key, fetcher, options, undefined, read.at);
    waiter.arrive(requests);
    read.others.push(waiter);
    return (waiter instanceof WaiterGroup ? waiter.join() : waiter.answer) as Promise<T>;
  }

  private async readOrBuild<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>, read: SharedRead): Promise<T> {
    const arrivedAfter = this.readThrough.requests;
    this.reads.set(key, read);
    let stored: StoredValue | undefined;
    let failure: unknown;
    try {
      stored = await read.request?.reply;
    } catch (error) {
      failure = error;
    }
    this.tellOthers(key, read, stored, failure);
    const isStoreAway = failure instanceof StoreUnavailableError;
    if (failure !== undefined && !isStoreAway) throw failure as Error;
    const bounded = isBounded(given) ? this.waiter(key, fetcher, given, arrivedAfter) : undefined;
    if (stored && bounded?.accepts(stored, this.readThrough.clock.latest()) === false) stored = undefined;
    const found = stored && this.decode<T>(key, stored);
    if (!found) return this.build<T>(bounded ?? this.waiter(key, fetcher, given, arrivedAfter), isStoreAway);
    this.afterHit(key, stored as StoredValue, found.value, fetcher, given);
    return found.value;
  }

  private tellOthers(key: string, read: SharedRead, stored: StoredValue | undefined, failure: unknown): void {
    if (this.reads.get(key) === read) this.reads.delete(key);
    if (read.others.length > 0) this.tell(key, read.others, stored, failure);
    // V8 keeps the tables that a map has outgrown until the next major collection, with everything they refer to.
    // Without this, reads of 10 KB by 256 callers took a third more time.
    read.request = undefined;
    read.others.length = 0;
  }

  private tell(key: string, waiters: readonly Waiter[], stored: StoredValue | undefined, failure: unknown): void {
    const latest = this.readThrough.clock.latest();
    for (const waiter of waiters) {
      const accepted = stored && waiter.accepts(stored, latest) ? stored : undefined;
      const found = accepted && this.decode(key, accepted); // a copy for each caller, if there is no L1
      if (found) {
        waiter.succeed(found.value, 'hit', false, () => this.decode(key, accepted)?.value);
        this.keepUp(key, accepted, found.value, waiter.fetcher, waiter.options);
      } else if (failure === undefined) this.readThrough.enter(waiter);
      else if (failure instanceof StoreUnavailableError) this.readThrough.bypass(waiter);
      else waiter.fail(failure);
    }
  }

  /** The waiter's answer: from the flight of its key or, without the store, from the source. */
  build<T>(waiter: Waiter, isStoreAway: boolean): Promise<T> {
    if (isStoreAway) this.readThrough.bypass(waiter);
    else this.readThrough.enter(waiter);
    return waiter.answer as Promise<T>;
  }

  /** The store's entry, if the caller may have it. Counts the hit and starts its upkeep. */
  async hit<T>(key: string, fetcher: Fetcher<T>, options: ResolvedOptions): Promise<{ readonly value: T } | undefined> {
    const stored = await this.store.read(key);
    const latest = this.readThrough.clock.latest();
    if (stored && !isYoungEnough(stored.fetchedAt, options.maxAgeSeconds, latest)) {
      if (latest !== Infinity) tellTooOld(options);
      return undefined;
    }
    const found = stored && this.decode<T>(key, stored);
    if (found) this.afterHit(key, stored, found.value, fetcher, options);
    return found;
  }

  /** The valid entry, for a read that limits the age, and for how many milliseconds at most it has been too old. */
  async tooOld<T>(
    key: string,
    { maxAgeSeconds }: ResolvedOptions,
  ): Promise<{ readonly value: T; readonly forMs: number } | undefined> {
    if (maxAgeSeconds === undefined) return undefined;
    const stored = await this.store.read(key);
    const forMs = Math.ceil(this.readThrough.clock.latest() - (stored?.fetchedAt ?? -Infinity) - maxAgeSeconds * 1000);
    const found = stored && this.decode<T>(key, stored);
    return found && { value: found.value, forMs: Math.max(0, forMs) };
  }

  /** Counts a hit in the store, and starts its upkeep. Nothing here waits. */
  afterHit<T>(key: string, stored: StoredValue, value: T, fetcher: Fetcher<T>, given: GivenOptions<T>): void {
    countHit(given, this.direct);
    if (typeof given !== 'object') return;
    this.keepUp(key, stored, value, fetcher, given);
  }

  private keepUp<T>(
    key: string,
    stored: StoredValue,
    value: T,
    fetcher: Fetcher<T>,
    given: GetOrSetOptions<T> | ResolvedOptions,
  ): void {
    if (needsUpkeep(given)) this.upkeep.afterHit(key, stored, value, fetcher, this.resolve(given));
  }

  private waiter<T>(
    key: string,
    fetcher: Fetcher<T>,
    given: GivenOptions<T>,
    arrivedAfter = this.readThrough.requests,
  ): Waiter {
    const waiter = new Waiter(key, fetcher, this.optionsOf(given));
    waiter.arrive(arrivedAfter);
    return waiter;
  }

  /** The same object for all callers without options, so that `cameWith` finds them alike. */
  private optionsOf<T>(given: GivenOptions<T>): ResolvedOptions {
    return given === undefined ? this.noOptions : this.resolve(given);
  }

  decode<T>(key: string, stored: StoredValue): { readonly value: T } | undefined {
    return (stored.decoded ?? this.codec.decode(key, stored)) as { readonly value: T } | undefined;
  }

  /** @param counts count the answers of all reads with these options */
  resolve<T>(given: GivenOptions<T>, counts: CacheBucketMetrics = this.direct): ResolvedOptions {
    return resolveGetOrSetOptions(given, this.defaults, counts);
  }
}

/** Whether the read limits the age of its entry. */
export function isBounded<T>(given: GivenOptions<T> | null): boolean {
  return typeof given === 'object' && given?.maxAgeSeconds !== undefined;
}

/**
 * Counts a hit, and notifies the caller's listener, whose error is reported as a defect. It does the same as
 * `tellOutcome`, in this file, because every hit passes it.
 */
function countHit<T>(given: GivenOptions<T>, direct: CacheBucketMetrics): void {
  if (typeof given !== 'object') {
    direct.hits++;
    return;
  }
  const resolved = given as Partial<ResolvedOptions>; // the options of a direct call are not
  const counts = resolved.isResolved ? resolved.counts : direct;
  if (counts !== undefined) counts.hits++;
  if (given.onOutcome === undefined) return;
  try {
    given.onOutcome('hit');
  } catch (error) {
    reportDefect(error);
  }
}

/** `remainingMs` undefined: the entry has no end. */
function mayEndWithin(ms: number, remainingMs: number | undefined): boolean {
  return remainingMs !== undefined && remainingMs <= ms;
}

/** A cheap check: nearly all reads need no upkeep. */
function needsUpkeep<T>(given: GetOrSetOptions<T> | ResolvedOptions): boolean {
  return given.refreshAhead !== undefined || given.sliding !== undefined;
}
