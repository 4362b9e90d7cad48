import { BuildFailedError, StoreUnavailableError, WaitTimeoutError } from '../cache.errors.js';
import type { Fetcher, GetOrSetOptions } from '../cache.types.js';
import type { CacheStore, StoredValue } from '../store/cache-store.js';
import type { ValueCodec } from '../values/value-codec.js';
import { BackgroundBuilds } from './background-builds.js';
import { resolveGetOrSetOptions, type ReadDefaults, type ResolvedOptions } from './get-or-set-options.js';
import { pollMs } from './lease-watch.js';
import type { ReadThrough } from './read-through.js';
import { Upkeep } from './upkeep.js';
import { tellOutcome, Waiter } from './waiter.js';

/** Options as a caller gives them, or as a bucket has had them resolved. */
export type GivenOptions<T> = number | GetOrSetOptions<T> | ResolvedOptions | undefined;

/** One request to the store, and those who share it. Emptied when it is answered. */
interface SharedRead {
  reply: ReturnType<CacheStore['read']> | undefined;
  readonly waiters: Waiter[];
}

/** Reads of one key: from the store, and through it from the source. */
export class Reader {
  readonly background: BackgroundBuilds;
  private readonly upkeep: Upkeep;
  private readonly noOptions: ResolvedOptions;
  /** Of each key the last read that has not been answered. */
  private readonly reads = new Map<string, SharedRead>();

  constructor(
    private readonly store: CacheStore,
    private readonly codec: ValueCodec,
    private readonly readThrough: ReadThrough,
    private readonly defaults: ReadDefaults,
    /** Throws if the key must not be asked for; what it returns is to be waited for. */
    readonly admit: (key: string) => Promise<void> | undefined,
  ) {
    this.background = new BackgroundBuilds(readThrough);
    this.upkeep = new Upkeep(store, readThrough.clock, this.background);
    this.noOptions = this.resolve(undefined);
  }

  /** The valid entry, or undefined. */
  async read<T>(key: string): Promise<{ readonly value: T } | undefined> {
    const local = this.store.local?.find(key);
    if (local) return local as { readonly value: T };
    const stored = await this.store.read(key);
    return stored && this.decode<T>(key, stored);
  }

  /** The entry that somebody is building, within `waitMs`; undefined if there is none and nobody builds it. */
  async waitFor<T>(key: string, waitMs: number): Promise<{ readonly value: T } | undefined> {
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

  /** What a hit in this process leads to. Nothing here waits. */
  afterLocalHit<T>(key: string, value: unknown, fetcher: Fetcher<T>, given: GivenOptions<T>): void {
    if (typeof given !== 'object') return;
    tellOutcome(given.onOutcome, 'hit');
    if (needsUpkeep(given)) this.upkeep.afterLocalHit(key, value, fetcher, this.resolve(given));
  }

  /** For a key that is not in this process: the entry, or what the fetcher makes of it. */
  getOrSet<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<T> {
    // Not an async function, and nothing in it is: ten thousand callers who come together are ten thousand waiters, no more.
    try {
      const opening = this.admit(key);
      if (opening) return opening.then(() => this.getOrSet(key, fetcher, given));
      const waiter = new Waiter(key, fetcher, given === undefined ? this.noOptions : this.resolve(given));
      waiter.arrive(this.readThrough.requests);
      if (this.readThrough.isBuilding(key)) this.readThrough.enter(waiter);
      else this.readFor(waiter);
      return waiter.answer as Promise<T>;
    } catch (error) {
      const reason = error as Error;
      return Promise.reject(reason);
    }
  }

  /** The store gives one promise to all who share a read; so they are answered together. */
  private readFor(waiter: Waiter): void {
    const { key } = waiter;
    const reply = this.store.read(key);
    const shared = this.reads.get(key);
    if (shared?.reply === reply) {
      shared.waiters.push(waiter);
      return;
    }
    const read: SharedRead = { reply, waiters: [waiter] };
    this.reads.set(key, read);
    void this.answer(key, read);
  }

  private async answer(key: string, read: SharedRead): Promise<void> {
    const { reply, waiters } = read;
    try {
      const stored = await reply;
      for (const waiter of waiters) {
        const found = stored && this.decode(key, stored); // each caller a copy of its own
        if (!found) this.readThrough.enter(waiter);
        else {
          waiter.succeed(found.value, 'hit');
          if (needsUpkeep(waiter.options))
            this.upkeep.afterHit(key, stored, found.value, waiter.fetcher, waiter.options);
        }
      }
    } catch (error) {
      const isStoreAway = error instanceof StoreUnavailableError;
      for (const waiter of waiters) {
        if (isStoreAway) this.readThrough.bypass(waiter);
        else waiter.fail(error);
      }
    } finally {
      if (this.reads.get(key) === read) this.reads.delete(key);
      // V8 keeps tables that a map has outgrown until the next major collection, with all they refer to. Left full, reads of
      // 10 KB by 256 callers took a third more time.
      read.reply = undefined;
      waiters.length = 0;
    }
  }

  /** What the waiter is answered, by a build in whichever process or, without the store, by the source. */
  build<T>(waiter: Waiter, isStoreAway: boolean): Promise<T> {
    if (isStoreAway) this.readThrough.bypass(waiter);
    else this.readThrough.enter(waiter);
    return waiter.answer as Promise<T>;
  }

  /** The entry as the store has it; a hit is counted, and kept up. */
  async hit<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<{ readonly value: T } | undefined> {
    const stored = await this.store.read(key);
    const found = stored && this.decode<T>(key, stored);
    if (found && typeof given === 'object') {
      tellOutcome(given.onOutcome, 'hit');
      if (needsUpkeep(given)) this.upkeep.afterHit(key, stored, found.value, fetcher, this.resolve(given));
    }
    return found;
  }

  decode<T>(key: string, stored: StoredValue): { readonly value: T } | undefined {
    return (stored.decoded ?? this.codec.decode(key, stored)) as { readonly value: T } | undefined;
  }

  resolve<T>(given: GivenOptions<T>): ResolvedOptions {
    return resolveGetOrSetOptions(given, this.defaults);
  }
}

/** A cheap look: nearly all reads need none. */
function needsUpkeep<T>(given: GetOrSetOptions<T> | ResolvedOptions): boolean {
  return given.refreshAhead !== undefined || given.sliding !== undefined;
}
