import type { Dependency } from '../dependencies.js';

/** What decides whether an entry has been invalidated without having been removed. */
export interface Judged {
  /** The order in which entries were kept: a later one has a higher number. */
  readonly order: number;
  /** The clock of the partition at which the value was valid. */
  readonly clock: number;
  readonly dependencies: readonly Dependency[];
}

/** Maximum marked dependencies of a partition. Without room for another, everything kept so far is dead. */
const MARKS_MAX = 1000;

/**
 * What has been invalidated in a partition while its entries are still here: no hit may serve them, and the sweep
 * removes them (docs/concepts/l1.md; model `l1-wide.pml`). To mark takes the same short time for any number of entries.
 * Marks are bounded by themselves: the window of remembered invalidations may forget a dependency while its entries are
 * still here.
 */
export class Unswept {
  /** Every entry with a higher order is valid, as far as invalidations go. */
  private upTo = 0;
  private forgottenUpTo = 0;
  /** dependency → the clock below which its entries are dead. */
  private readonly marks = new Map<Dependency, number>();

  /** Whether nothing dead is among the entries. */
  get isEmpty(): boolean {
    return this.upTo === 0;
  }

  /** Whether the entry was invalidated. */
  has(entry: Judged): boolean {
    if (entry.order > this.upTo) return false;
    if (entry.order <= this.forgottenUpTo) return true;
    if (this.marks.size === 0) return false;
    for (const dependency of entry.dependencies) {
      const clock = this.marks.get(dependency);
      if (clock !== undefined && entry.clock < clock) return true;
    }
    return false;
  }

  /**
   * Marks the entries with this dependency that are valid only below this clock. `order` is that of the entry kept
   * last. False: there is no room for another mark, so everything kept so far is dead.
   */
  mark(dependency: Dependency, clock: number, order: number): boolean {
    const marked = this.marks.get(dependency);
    if (marked === undefined && this.marks.size >= MARKS_MAX) {
      this.forget(order);
      return false;
    }
    this.marks.set(dependency, Math.max(marked ?? 0, clock));
    this.upTo = order;
    return true;
  }

  /** From now on every entry up to this order is dead. */
  forget(order: number): void {
    this.marks.clear();
    this.forgottenUpTo = order;
    this.upTo = order;
  }

  /** A sweep that began after `forget` has passed all entries. Later marks have sweeps of their own. */
  unmarkAll(): void {
    this.forgottenUpTo = 0;
    if (this.marks.size === 0) this.upTo = 0;
  }

  /** A sweep that began after the last mark of this dependency has passed all its entries. */
  unmark(dependency: Dependency): void {
    this.marks.delete(dependency);
    if (this.marks.size === 0) this.upTo = this.forgottenUpTo;
  }
}
