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

/** Reads of one key: from the store, and through it from the source. */
export class Reader {
  readonly background: BackgroundBuilds;
  private readonly upkeep: Upkeep;

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
  async getOrSet<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<T> {
    const opening = this.admit(key);
    if (opening) await opening;
    let isStoreAway = false;
    if (!this.readThrough.isBuilding(key)) {
      try {
        const found = await this.hit(key, fetcher, given);
        if (found) return found.value;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        isStoreAway = true;
      }
    }
    return this.build<T>(new Waiter(key, fetcher, this.resolve(given)), isStoreAway);
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
