import type { Dependency } from '../dependencies.js';
import type { L1Entries } from './l1-entries.js';
import type { L1Partition } from './l1-partition.js';

/** How long the event loop is held at a time. */
const SLICE_MS = 1;
/**
 * How long the process does other work between two slices, so that a sweep takes a quarter of a processor at most:
 * invalidations reach all processes of a machine at once, and the last acknowledgement would wait for their sweeps.
 */
const PAUSE_MS = 3;
/** When a sweep begins: by then the others have acknowledged. */
const START_MS = 20;
/** Entries between two looks at the clock: about 30 µs. */
const STRIDE = 32;

/** What a walk passes: the entries with this dependency, or all of the L1. */
type Extent = Dependency | 'all';

/**
 * Removes the entries of an L1 that were invalidated while they were too many to be removed at once: in slices of at
 * most a millisecond, between which the event loop does its other work. A walk ends, because it passes what is kept
 * meanwhile faster than anything can be kept.
 */
export class L1Sweep {
  private readonly walks = new Map<L1Partition, Map<Extent, Iterator<string>>>();
  private isUnderWay = false;

  constructor(private readonly entries: L1Entries) {}

  /** Begins to sweep this, anew if it is being swept: what was passed already may have been invalidated since. */
  begin(partition: L1Partition, extent: Extent): void {
    const walks = extent === 'all' ? undefined : this.walks.get(partition);
    const keys = extent === 'all' ? this.entries.byKey.keys() : this.entries.dependants(partition, extent).values();
    if (walks) walks.set(extent, keys);
    else this.walks.set(partition, new Map([[extent, keys]])); // a walk over all replaces the others
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    setTimeout(() => this.slice(), START_MS).unref();
  }

  private slice(): void {
    const end = performance.now() + SLICE_MS;
    do {
      if (this.pass()) continue;
      this.isUnderWay = false;
      return;
    } while (performance.now() < end);
    setTimeout(() => this.slice(), PAUSE_MS).unref();
  }

  /** Goes on for a stride with the first walk. False: there is none. */
  private pass(): boolean {
    for (const [partition, walks] of this.walks) {
      for (const [extent, keys] of walks) {
        if (this.stride(keys)) return true;
        partition.swept(extent);
        walks.delete(extent);
        return true;
      }
      this.walks.delete(partition);
    }
    return false;
  }

  /** False: the walk has ended. */
  private stride(keys: Iterator<string>): boolean {
    for (let i = 0; i < STRIDE; i++) {
      const next = keys.next();
      if (next.done === true) return false;
      this.entries.removeInvalidated(next.value);
    }
    return true;
  }
}
