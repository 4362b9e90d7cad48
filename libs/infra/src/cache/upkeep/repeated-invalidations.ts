import { CacheError, invalidOption } from '../cache.errors.js';
import type { Dependency } from '../dependencies.js';
import { reportDefect } from '../../process/defect-report.js';
import { wholeWithin, type Limits } from '../protocol/limits.js';

/** Limits of the delay of a repeat, in milliseconds. A lag of more than ten minutes needs a TTL, not a repeat. */
const AFTER_MS: Limits = [10, 600_000];
const TIMES_MAX = 10;
/** Maximum repeats that wait (see `size`); a further one is counted as lost. */
const PENDING_MAX = 10_000;
/** Length of a slot, in milliseconds. All repeats that are due in one slot go out together, at its end. */
const SLOT_MS = 50;
/** A repeat that is not acknowledged is tried again after 1, 2, 4, 8 and 16 seconds; then it is counted as lost. */
const RETRY_MS = 1000;
const RETRIES_MAX = 5;

/** Results of repeats, counted in dependencies. */
export interface RepeatCounts {
  /** Acknowledged. */
  readonly repeated: number;
  /** Given up after the last retry, or refused because too many were waiting. */
  readonly lost: number;
}

/**
 * Checks and returns the delays of a domain's repeats; throws `CACHE_INVALID_OPTION` for more than ten, and for a delay
 * that is not a whole number of milliseconds within 10 ms and 10 minutes.
 */
export function repeatDelays(afterMs: readonly number[] = []): readonly number[] {
  if (afterMs.length > TIMES_MAX) throw invalidOption(`repeatAfterMs takes at most ${TIMES_MAX} delays`);
  return afterMs.map((ms) => wholeWithin('repeatAfterMs', ms, AFTER_MS));
}

/**
 * Invalidates again, some time after the first invalidation: for sources whose reads lag behind their own change
 * events. A fetch right after such an event may still return the old value. Repeats are bounded, and kept in this
 * process only: those that are pending when it ends are dropped.
 */
export class RepeatedInvalidations {
  /** Slot in which the repeats are due → dependency → failed attempts. */
  private readonly slots = new Map<number, Map<Dependency, number>>();
  private pending = 0;
  private timer: NodeJS.Timeout | undefined;
  private repeated = 0;
  private lost = 0;

  /** @param invalidate resolves when acknowledged; after `CACHE_CLOSED` nothing is repeated any more */
  constructor(private readonly invalidate: (dependencies: readonly Dependency[]) => Promise<unknown>) {}

  get counts(): RepeatCounts {
    return { repeated: this.repeated, lost: this.lost };
  }

  /** Number of waiting repeats: a dependency counts once for each slot in which it is due. */
  get size(): number {
    return this.pending;
  }

  add(dependencies: readonly Dependency[], afterMs: readonly number[]): void {
    for (const ms of afterMs) for (const d of dependencies) this.put(d, ms, 0);
    this.schedule();
  }

  private put(dependency: Dependency, afterMs: number, attempts: number): void {
    const slot = Math.ceil((performance.now() + afterMs) / SLOT_MS);
    const due = this.slots.get(slot) ?? new Map<Dependency, number>();
    const known = due.get(dependency);
    if (known === undefined && this.pending >= PENDING_MAX) {
      this.lost++;
      return;
    }
    if (known === undefined) this.pending++;
    this.slots.set(slot, due.set(dependency, Math.min(known ?? attempts, attempts)));
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.slots.size === 0) return;
    const waitMs = Math.min(...this.slots.keys()) * SLOT_MS - performance.now();
    this.timer = setTimeout(() => void this.run().catch(reportDefect), Math.max(1, waitMs)).unref();
  }

  private async run(): Promise<void> {
    const due = this.takeDue();
    this.schedule();
    if (due.size === 0) return;
    try {
      await this.invalidate([...due.keys()]);
      this.repeated += due.size;
    } catch (error) {
      if (error instanceof CacheError && error.code === 'CACHE_CLOSED') return this.stop();
      for (const [dependency, attempts] of due) {
        if (attempts < RETRIES_MAX) this.put(dependency, RETRY_MS * 2 ** attempts, attempts + 1);
        else this.lost++;
      }
      this.schedule();
    }
  }

  private takeDue(): Map<Dependency, number> {
    const due = new Map<Dependency, number>();
    for (const [slot, dependencies] of this.slots) {
      if (slot * SLOT_MS > performance.now()) continue;
      this.slots.delete(slot);
      this.pending -= dependencies.size;
      for (const [d, attempts] of dependencies) due.set(d, Math.min(due.get(d) ?? attempts, attempts));
    }
    return due;
  }

  private stop(): void {
    this.slots.clear();
    this.pending = 0;
    this.schedule();
  }
}
