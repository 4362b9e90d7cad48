import type { Dependency } from '../dependencies.js';
import type { L1Hit } from '../protocol/cache-store.js';
import type { L1Partition } from './l1-partition.js';

/** An entry in this process: what a hit reads of it first, then what it is judged by. */
export interface KeptEntry extends L1Hit {
  answer: Promise<unknown> | undefined;
  readonly partition: L1Partition;
  /** The store's time at which the entry ends, in milliseconds; undefined: it does not. */
  readonly expiresAt: number | undefined;
  /** Set by a hit, so that the entry survives one eviction pass. */
  wasHit: boolean;
  /** Counted bytes of its value. */
  readonly bytes: number;
  readonly key: string;
  /** Entries are numbered in the order in which they are kept. */
  readonly order: number;
  /** The clock of the partition at which the value was valid. */
  readonly clock: number;
  readonly build: number;
  readonly dependencies: readonly Dependency[];
}

export interface L1Bounds {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/**
 * Maximum entries, the oldest first, that a new one spares because they were hit. If all of these were hit, the next
 * oldest goes even if it was hit as well.
 */
const SPARED_MAX = 8;
/** Estimated bytes of an entry beside its value and its dependencies. */
const ENTRY_OVERHEAD = 200;
/** Estimated bytes of a dependency, in the entry and in the index. */
const DEPENDENCY_OVERHEAD = 100;

const NO_KEYS: ReadonlySet<string> = new Set();

/** The entries of an L1, bounded in bytes and number, with the keys that depend on each dependency. */
export class L1Entries {
  /**
   * In the order in which they go: what was kept first, unless a hit has spared it. Entries that a sweep has not reached
   * yet are among them. For the L1 to read only.
   */
  readonly byKey = new Map<string, KeptEntry>();
  /** The `order` of the entry kept last. */
  lastOrder = 0;
  private bytes = 0;
  private readonly indexes: ReadonlyMap<L1Partition, Map<Dependency, Set<string>>>;
  /**
   * Walks over `byKey` for evictions, from the oldest on. A map keeps the places of removed entries for a while; a walk
   * that began anew for each eviction would pass them all each time.
   */
  private oldest: Iterator<string> | undefined;

  constructor(
    private readonly bounds: L1Bounds,
    partitions: readonly L1Partition[],
  ) {
    this.indexes = new Map(partitions.map((partition) => [partition, new Map<Dependency, Set<string>>()]));
  }

  /** The number of entries, and their counted bytes. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.byKey.size, bytes: this.bytes };
  }

  /**
   * Puts the entry, whose `order` is the next one, in place of the present one. An entry that is larger than the bounds
   * is not kept, nor the present one.
   */
  put(entry: KeptEntry): void {
    const { key } = entry;
    this.lastOrder = entry.order;
    this.remove(key);
    const bytes = countedBytes(entry);
    if (bytes > this.bounds.maxBytes || this.bounds.maxEntries < 1) return;
    this.makeRoom(bytes);
    this.byKey.set(key, entry);
    this.bytes += bytes;
    const index = this.indexOf(entry.partition);
    for (const dependency of entry.dependencies) {
      const keys = index.get(dependency);
      if (keys) keys.add(key);
      else index.set(dependency, new Set([key]));
    }
  }

  remove(key: string): void {
    const entry = this.byKey.get(key);
    if (!entry) return;
    this.byKey.delete(key);
    entry.answer = undefined; // a bucket may still have the entry: it must neither serve the value nor keep it
    this.bytes -= countedBytes(entry);
    const index = this.indexOf(entry.partition);
    for (const dependency of entry.dependencies) {
      const keys = index.get(dependency);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(dependency);
    }
  }

  /** Removes the entry if it was invalidated. */
  removeInvalidated(key: string): void {
    const entry = this.byKey.get(key);
    if (entry?.partition.isDead(entry)) this.remove(key);
  }

  /** The keys of the partition's entries that depend on this. */
  dependants(partition: L1Partition, dependency: Dependency): ReadonlySet<string> {
    return this.indexOf(partition).get(dependency) ?? NO_KEYS;
  }

  private makeRoom(bytes: number): void {
    let spared = 0;
    while (this.byKey.size >= this.bounds.maxEntries || this.bytes + bytes > this.bounds.maxBytes) {
      const key = this.nextOldest();
      const entry = this.byKey.get(key) as KeptEntry;
      if (!entry.wasHit || spared === SPARED_MAX || entry.partition.isDead(entry)) this.remove(key);
      else {
        spared++;
        entry.wasHit = false;
        this.byKey.delete(key);
        this.byKey.set(key, entry); // now it is the last to go
      }
    }
  }

  /** The key that goes next. There must be one. */
  private nextOldest(): string {
    this.oldest ??= this.byKey.keys();
    const next = this.oldest.next();
    if (next.done !== true) return next.value;
    this.oldest = undefined; // it has reached the end, so the next walk begins with the oldest again
    return this.nextOldest();
  }

  private indexOf(partition: L1Partition): Map<Dependency, Set<string>> {
    return this.indexes.get(partition) as Map<Dependency, Set<string>>;
  }
}

function countedBytes({ bytes, dependencies }: KeptEntry): number {
  return bytes + ENTRY_OVERHEAD + dependencies.length * DEPENDENCY_OVERHEAD;
}
