import { CacheError, StoreUnavailableError } from '../cache.errors.js';
import type { Fetcher, MaybeStale, ReadOutcome } from '../cache.types.js';
import { settlesWithin } from '../../process/settles-within.js';
import type { CacheStore } from '../protocol/cache-store.js';
import { tellBackground, type BackgroundBuilds } from './background-builds.js';
import { isYoungEnough } from './entry-age.js';
import type { ResolvedOptions, StaleWindows } from './get-or-set-options.js';
import type { GivenOptions, Reader } from './reader.js';
import { tellOutcome, Waiter, type Background } from './waiters/waiter.js';

/** A stale value within the requested window. */
type Copy<T> = MaybeStale<T> & { readonly isStale: true };

/**
 * Reads that allow a stale value: at once while somebody builds (`whileRevalidateMs`), or instead of a fetch that
 * failed or takes too long (`ifErrorMs`). `Reader` never returns one. For a read with `maxAgeSeconds`, a valid entry
 * counts as ended when it reached that age.
 */
export class StaleReader {
  /** Requests for a copy that are not sent yet: callers of the same turn share them. */
  private readonly unsent = new Map<string, Promise<Awaited<ReturnType<CacheStore['readStale']>>>>();

  constructor(
    private readonly store: CacheStore,
    private readonly reader: Reader,
    private readonly background: BackgroundBuilds,
  ) {}

  async read<T>(key: string, fetcher: Fetcher<T>, given: GivenOptions<T>): Promise<MaybeStale<T>> {
    const answer = this.reader.findInL1(key, given);
    if (answer) {
      this.reader.afterL1Hit(key, answer, fetcher, given);
      return fresh(await answer);
    }
    const options = tellingOnce(this.reader.resolve(given));
    const { stale } = options;
    if (!stale) return fresh(await this.reader.getOrSet(key, fetcher, options));
    const opening = this.reader.admit(key);
    if (opening) await opening;
    let isStoreAway = false;
    try {
      const found = await this.reader.hit(key, fetcher, options);
      if (found) return fresh(found.value);
      const copy = await this.copy<T>(key, stale.whileRevalidateMs, options);
      if (copy) {
        void this.background.run(key, fetcher, options, replacement(options));
        tellOutcome(options, 'stale');
        return copy;
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      isStoreAway = true;
    }
    return this.build(key, fetcher, options, stale, isStoreAway);
  }

  /**
   * The answer of the build, or of the source while the store is away; a stale copy, if there is one, if the source
   * fails or takes too long.
   */
  private async build<T>(
    key: string,
    fetcher: Fetcher<T>,
    options: ResolvedOptions,
    { ifErrorMs, softTimeoutMs }: StaleWindows,
    isStoreAway: boolean,
  ): Promise<MaybeStale<T>> {
    let isTold = false;
    const tellOnce = (outcome: ReadOutcome) => {
      if (!isTold) tellOutcome(options, outcome);
      else if (outcome === 'miss') tellBackground(options, 'refreshed'); // its caller received a copy meanwhile
      isTold = true;
    };
    const waiter = new Waiter(key, fetcher, { ...options, counts: undefined, onOutcome: tellOnce });
    const answer = this.reader.build<T>(waiter, isStoreAway);
    try {
      if (softTimeoutMs === undefined || (await settlesWithin(answer, softTimeoutMs))) return fresh(await answer);
      const copy = await this.copy<T>(key, ifErrorMs, options);
      if (!copy || isTold) return fresh(await answer);
      tellOnce('stale');
      answer.catch((error: unknown) => tellBackground(options, 'failed', error));
      return copy;
    } catch (error) {
      const copy = isOfTheSource(error) ? await this.copy<T>(key, ifErrorMs, options) : undefined;
      if (!copy) throw error;
      tellOnce('stale');
      return copy;
    }
  }

  private async copy<T>(key: string, withinMs: number, options: ResolvedOptions): Promise<Copy<T> | undefined> {
    if (withinMs === 0) return undefined;
    try {
      const copy = await this.request(key);
      if (!copy) return await this.tooOld(key, withinMs, options);
      if (copy.staleForMs > withinMs) return undefined;
      const found = this.reader.decode<T>(key, copy.value);
      return found && { value: found.value, isStale: true, staleForMs: copy.staleForMs };
    } catch (error) {
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  private async tooOld<T>(key: string, withinMs: number, options: ResolvedOptions): Promise<Copy<T> | undefined> {
    const found = await this.reader.tooOld<T>(key, options);
    if (!found || found.forMs > withinMs) return undefined;
    return { value: found.value, isStale: true, staleForMs: found.forMs };
  }

  private request(key: string): ReturnType<CacheStore['readStale']> {
    const shared = this.unsent.get(key);
    if (shared) return shared;
    const request = new Promise<void>((resolve) => process.nextTick(resolve)).then(() => {
      this.unsent.delete(key);
      return this.store.readStale(key);
    });
    this.unsent.set(key, request);
    return request;
  }
}

/** The build behind a stale answer. It also replaces a valid entry that is too old for the caller. */
function replacement({ maxAgeSeconds }: ResolvedOptions): Background {
  if (maxAgeSeconds === undefined) return {};
  return { isDue: (stored, latest) => !isYoungEnough(stored.fetchedAt, maxAgeSeconds, latest) };
}

/** The same options, but `onTooOld` is called once at most: one read looks for an entry more than once. */
function tellingOnce(options: ResolvedOptions): ResolvedOptions {
  const { maxAgeSeconds, onTooOld } = options;
  if (maxAgeSeconds === undefined || !onTooOld) return options;
  let isTold = false;
  const once = () => {
    if (!isTold) onTooOld();
    isTold = true;
  };
  return { ...options, onTooOld: once };
}

function fresh<T>(value: T): MaybeStale<T> {
  return { value, isStale: false };
}

/** Whether the source, or the wait for it, has failed, and not this cache or the call. */
function isOfTheSource(error: unknown): boolean {
  if (!(error instanceof CacheError)) return true;
  return ['CACHE_BUILD_FAILED', 'CACHE_FETCH_TIMEOUT', 'CACHE_WAIT_TIMEOUT'].includes(error.code);
}
