import { LRUCache } from 'lru-cache';
import { StoreUnavailableError } from '../cache.errors.js';
import type { Fetcher } from '../cache.types.js';
import { reportDefect } from '../../process/defect-report.js';
import type { CacheStore, StoredValue } from '../protocol/cache-store.js';
import type { BackgroundBuilds } from '../read-through/background-builds.js';
import type { HitUpkeep } from '../read-through/reader.js';
import type { ResolvedOptions, SlidingLife } from '../read-through/get-or-set-options.js';
import type { StoreClock } from '../read-through/store-clock.js';

/**
 * Maximum keys remembered as needing no upkeep for now. A hit of a key that was dropped from them may send one needless
 * request.
 */
const RESTING_MAX = 10_000;
/** Maximum concurrent reads of the store after hits in the L1; beyond it, such a hit starts no upkeep. */
const LOOKING_MAX = 32;
/** After an attempt to refresh, a key rests for a twentieth of its life, at most this long, whatever the result. */
const ATTEMPT_REST_MS = 1000;

/**
 * Work that a hit starts without waiting for it: a build before the entry ends (`refreshAhead`), or a later end
 * (`sliding`). Each process does it at most once per key at a time; for builds the lease ensures this over all
 * processes.
 */
export class Upkeep implements HitUpkeep {
  private readonly resting = new LRUCache<string, number>({ max: RESTING_MAX });
  private readonly looking = new Set<string>();

  constructor(
    private readonly store: CacheStore,
    private readonly clock: StoreClock,
    private readonly builds: BackgroundBuilds,
  ) {}

  /** After a hit from the store, whose reply holds the entry's times. */
  afterHit(
    key: string,
    stored: StoredValue,
    value: unknown,
    fetcher: Fetcher<unknown>,
    options: ResolvedOptions,
  ): void {
    if (!stored.expiresAt || this.isResting(key)) return;
    if (options.sliding) this.extend(key, stored, value, options);
    else if (options.refreshAhead !== undefined) this.refresh(key, stored, options.refreshAhead, fetcher, options);
  }

  /** After a hit in this process. Asks the store for the entry's times only if the entry may be near its end. */
  afterL1Hit(key: string, answer: Promise<unknown>, fetcher: Fetcher<unknown>, options: ResolvedOptions): void {
    const remainingMs = this.store.l1?.remainingMs(key) ?? Infinity;
    if (options.upkeepMs === undefined || remainingMs > options.upkeepMs || remainingMs === Infinity) return;
    if (this.isResting(key) || this.looking.has(key) || this.looking.size >= LOOKING_MAX) return;
    this.looking.add(key);
    const look = async () => {
      const stored = await this.store.read(key);
      if (stored) this.afterHit(key, stored, await answer, fetcher, options);
    };
    void quietly(look()).finally(() => this.looking.delete(key));
  }

  private refresh(
    key: string,
    stored: StoredValue,
    part: number,
    fetcher: Fetcher<unknown>,
    options: ResolvedOptions,
  ): void {
    const isDue = (entry: StoredValue, now: number) => now >= dueAt(entry, part);
    const waitMs = dueAt(stored, part) - this.clock.now();
    // If the store's time is not known yet, the build begins in any case: its request for a lease brings that time, and
    // `isDue` ends the build if it is too early.
    if (waitMs > 0 && this.clock.isKnown) this.rest(key, waitMs);
    else {
      this.rest(key, Math.min(ATTEMPT_REST_MS, lifeOf(stored) / 20));
      void this.builds.run(key, fetcher, options, { isDue });
    }
  }

  private extend(key: string, stored: StoredValue, value: unknown, { sliding, life }: ResolvedOptions): void {
    if (value === null && life.negativeTtlMs !== undefined) return; // a negative entry keeps its own end
    const { ttlMs, absoluteMs = Infinity } = sliding as SlidingLife;
    const { expiresAt = 0, fetchedAt = 0 } = stored;
    const mayMove = expiresAt < fetchedAt + absoluteMs;
    const isDue = !this.clock.isKnown || expiresAt - this.clock.now() < ttlMs / 2;
    if (!mayMove || !isDue) return;
    this.rest(key, ttlMs / 4);
    void quietly(this.store.extend(key, ttlMs, absoluteMs === Infinity ? undefined : absoluteMs));
  }

  private isResting(key: string): boolean {
    const until = this.resting.get(key);
    return until !== undefined && performance.now() < until;
  }

  private rest(key: string, ms: number): void {
    this.resting.set(key, performance.now() + ms);
  }
}

/** The store's time at which the entry has lived for this part of its life. */
function dueAt(stored: StoredValue, part: number): number {
  return (stored.fetchedAt ?? 0) + lifeOf(stored) * part;
}

function lifeOf({ fetchedAt = 0, expiresAt = 0 }: StoredValue): number {
  return expiresAt - fetchedAt;
}

/**
 * Ignores an outage, in which there is nothing to keep up. Any other error is reported as a defect: no caller gets it.
 */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) reportDefect(error);
  }
}
