import { LRUCache } from 'lru-cache';
import { CacheError } from '../cache.errors.js';
import type { Fetcher } from '../cache.types.js';
import { reportDefect } from '../../process/defect-report.js';
import { FETCH_MS } from '../protocol/limits.js';
import type { ResolvedOptions } from './get-or-set-options.js';
import type { ReadThrough } from './read-through.js';
import { Waiter, type Background, type BackgroundAnswer } from './waiters/waiter.js';

/** Maximum concurrent background builds; excess is skipped, not queued, and the next hit may try again. */
const RUNNING_MAX = 32;
/** After a failure a key rests for one second, then for two, doubling up to half a minute. */
const REST_MS = 1000;
const REST_MS_MAX = 30_000;
const FAILED_KEYS_MAX = 10_000;
const [, FETCH_MS_MAX] = FETCH_MS;

/**
 * The result of a background build. `stored`: there is a new entry. `unneeded`: there was an entry already, or another
 * builder has the key. `refused`: a value was fetched and not stored, for example because it was invalidated meanwhile.
 * `failed`: the fetch failed, the store is away, or the cache was closed. `skipped`: no build was begun, because one of
 * this key is under way or has just failed, too many run, or the cache was closed.
 */
export type BackgroundResult = 'stored' | 'unneeded' | 'refused' | 'failed' | 'skipped';

/**
 * Builds that no caller waits for: ordinary builds, from a start point under a lease to a commit that may be refused,
 * one per key over all processes. After a failure the key rests, and `onBackground` receives the error, unless it only
 * says that the store is away or the cache was closed.
 */
export class BackgroundBuilds {
  private readonly running = new Set<string>();
  private readonly failures = new LRUCache<string, { readonly count: number; readonly until: number }>({
    max: FAILED_KEYS_MAX,
  });

  constructor(private readonly readThrough: ReadThrough) {}

  /** Never rejects. */
  async run(
    key: string,
    fetcher: Fetcher<unknown>,
    options: ResolvedOptions,
    background: Background = {},
  ): Promise<BackgroundResult> {
    if (this.running.has(key) || this.running.size >= RUNNING_MAX || this.isResting(key)) return 'skipped';
    // Nobody would notice a fetch that never ends, so a background fetch always has a time limit.
    const fetchTimeoutMs = options.fetchTimeoutMs ?? FETCH_MS_MAX;
    const untold = { ...options, fetchTimeoutMs, counts: undefined, onOutcome: undefined };
    const waiter = new Waiter(key, fetcher, untold, background);
    if (!this.readThrough.enterUnlessBusy(waiter)) return 'skipped';
    this.running.add(key);
    try {
      const result = resultOf((await waiter.answer) as BackgroundAnswer);
      this.failures.delete(key);
      if (result === 'stored') tellBackground(options, background.isRehydration ? 'rehydrated' : 'refreshed');
      return result;
    } catch (error) {
      this.rest(key);
      if (!isOfTheStore(error)) tellBackground(options, 'failed', error);
      return 'failed';
    } finally {
      this.running.delete(key);
    }
  }

  private isResting(key: string): boolean {
    return (this.failures.get(key)?.until ?? 0) > performance.now();
  }

  private rest(key: string): void {
    const count = (this.failures.get(key)?.count ?? 0) + 1;
    const ms = Math.min(REST_MS_MAX, REST_MS * 2 ** Math.min(count - 1, 10));
    this.failures.set(key, { count, until: performance.now() + ms });
  }
}

function resultOf({ outcome, isStored }: BackgroundAnswer): BackgroundResult {
  if (outcome !== 'miss') return 'unneeded';
  return isStored ? 'stored' : 'refused';
}

/** Whether the store is away or the cache is closing: neither is a failure of the build. */
function isOfTheStore(error: unknown): boolean {
  return error instanceof CacheError && ['CACHE_STORE_UNAVAILABLE', 'CACHE_CLOSED'].includes(error.code);
}

/** Reports how work that no caller waited for has ended. An error of the listener is reported as a defect. */
export function tellBackground(
  { onBackground }: ResolvedOptions,
  event: Parameters<NonNullable<ResolvedOptions['onBackground']>>[0],
  error?: unknown,
): void {
  try {
    onBackground?.(event, error);
  } catch (defect) {
    reportDefect(defect);
  }
}
