import { entry as entryDependency, entryKey, type Dependency } from '../dependencies.js';
import type { L1Reads } from '../protocol/cache-store.js';
import { hitClock } from '../../process/hit-clock.js';
import { L1Entries, type KeptEntry } from './l1-entries.js';
import { L1Partition, type ChainedInvalidation, type Position } from './l1-partition.js';
import { L1Sweep } from './l1-sweep.js';

export interface L1CacheOptions {
  readonly partitions: number;
  readonly partitionOf: (key: string) => number;
  /**
   * Maximum bytes: values as stored, and an estimate for their overhead. The objects take two to three times as much.
   */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Freeze kept values, so that a caller that changes one is caught. */
  readonly shouldFreeze: boolean;
}

/** A value to keep, with the data that the store's reply gave about it. */
export interface L1Entry {
  readonly value: unknown;
  readonly bytes: number;
  /** The position of the partition in that reply: the value was valid then. */
  readonly clock: number;
  readonly tip: string;
  /** The number of the build: of two values of a key, the one with the higher number was begun later. */
  readonly build: number;
  readonly dependencies: readonly Dependency[];
  /** The store's time at which the entry expires, in milliseconds; 0: it does not. */
  readonly expiresAt: number;
}

/** Maximum dependencies of a kept entry. More would make forgetting slow; such entries stay in the store. */
const DEPENDENCIES_MAX = 64;
/**
 * Maximum entries that one invalidation removes at once: about half a millisecond. Dependencies with more dependants
 * than are left of it are marked, and swept.
 */
const REMOVED_AT_ONCE_MAX = 500;

/**
 * L1: parsed values in this process, bounded in bytes and entries. An entry is served only while this process holds the
 * L1's lease of its partition. To hold it, the process has reported to the store how far it has followed the
 * invalidations. In the mode `strict` an invalidation waits until each such process has followed it or has lost the
 * lease (docs/concepts/l1.md).
 */
export class L1Cache implements L1Reads {
  readonly partitions: readonly L1Partition[];
  private readonly entries: L1Entries;
  private readonly sweep: L1Sweep;

  constructor(private readonly options: L1CacheOptions) {
    this.partitions = Array.from({ length: options.partitions }, () => {
      const partition: L1Partition = new L1Partition(() => this.forget(partition));
      return partition;
    });
    this.entries = new L1Entries(options, this.partitions);
    this.sweep = new L1Sweep(this.entries);
  }

  /** One promise of the value for all hits, if the entry may be served at this instant. */
  find(key: string): Promise<unknown> | undefined {
    const entry = this.entries.byKey.get(key);
    return entry === undefined ? undefined : this.serve(entry, hitClock());
  }

  entry(key: string): KeptEntry | undefined {
    return this.entries.byKey.get(key);
  }

  /** `now`, by `hitClock()`, was read after the read began, and in the same turn; it is the instant of the read. */
  serve(entry: KeptEntry, now: number): Promise<unknown> | undefined {
    const { partition, expiresAt } = entry;
    if (!partition.isClean(now) && (!partition.isLive(now) || partition.isDead(entry))) return undefined;
    if (expiresAt !== undefined && partition.hasEnded(expiresAt, now)) return undefined;
    if (!entry.wasHit) entry.wasHit = true; // checked first: an unneeded write costs a tenth of a hit
    return entry.answer;
  }

  /** Lower bound, in milliseconds, of the time until the entry expires; undefined if it is not kept, or has no TTL. */
  remainingMs(key: string): number | undefined {
    const entry = this.entries.byKey.get(key);
    return entry && this.remainingMsOf(entry, hitClock());
  }

  remainingMsOf({ partition, expiresAt }: KeptEntry, now: number): number | undefined {
    return expiresAt === undefined ? undefined : partition.remainingMs(expiresAt, now);
  }

  /** Pass it to `keep` with the result of a read or a commit that is sent after this call. */
  generation(key: string): number {
    return this.partitionOf(key).generation;
  }

  /**
   * Keeps the entry unless its partition forbids it (`L1Partition.mayKeep`: a dependency was invalidated later, for
   * example, or the bus has not reported the entry's position yet), a newer one is kept already, or it is too large or
   * has too many dependencies. `generation` was taken before the read was sent.
   */
  keep(key: string, generation: number, entry: L1Entry): void {
    const { bytes, clock, build, expiresAt, dependencies } = entry;
    const partition = this.partitionOf(key);
    if (dependencies.length > DEPENDENCIES_MAX) return;
    if (!partition.mayKeep(generation, entry, [entryDependency(key), ...dependencies])) return;
    const present = this.entries.byKey.get(key);
    if (present && !partition.isDead(present) && !isNewer(entry, present)) return;
    partition.keptClock = Math.max(partition.keptClock, clock);
    this.entries.put({
      answer: Promise.resolve(this.options.shouldFreeze ? deepFreeze(entry.value) : entry.value),
      partition,
      expiresAt: expiresAt > 0 ? expiresAt : undefined,
      wasHit: false,
      key,
      order: this.entries.lastOrder + 1, // in the literal: added later, it would lie apart from the rest, and slow each hit
      bytes,
      clock,
      build,
      dependencies,
    });
  }

  /** Follows an invalidation of this partition that the bus has reported. */
  follow(partition: number, invalidation: ChainedInvalidation): void {
    (this.partitions[partition] as L1Partition).follow(invalidation);
    if (invalidation.dependencies !== '*') this.drop(partition, invalidation.dependencies, invalidation.clock);
  }

  /**
   * Drops what this process invalidates. Call it before the store is asked, and again with the position at which the
   * store carried the invalidation out.
   */
  invalidateOwn(partition: number, dependencies: readonly Dependency[], at?: Position): void {
    if (at) (this.partitions[partition] as L1Partition).rememberOwn(dependencies, at);
    this.drop(partition, dependencies, at?.clock);
  }

  /**
   * Forgets everything of the partition, and keeps and serves nothing of it until `resume`; leases and acknowledgements
   * continue.
   */
  suspend(partition: number): void {
    (this.partitions[partition] as L1Partition).suspend();
  }

  /** Ends a suspension. Reads requested before it are not kept; the partition is served again from the next lease. */
  resume(partition: number): void {
    (this.partitions[partition] as L1Partition).resume();
  }

  close(): void {
    for (const partition of this.partitions) partition.close();
  }

  /** The number of entries, and their counted bytes. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return this.entries.size;
  }

  /**
   * From now on no hit is answered with an entry that has one of these dependencies and was valid only below this clock
   * (by default: with any entry that is here). It holds the event loop for about a millisecond, however many there are.
   */
  private drop(index: number, dependencies: readonly Dependency[], clock?: number): void {
    const partition = this.partitions[index] as L1Partition;
    const below = clock ?? partition.keptClock + 1;
    let removed = 0;
    for (const d of dependencies) {
      const own = entryKey(d); // an `entry` dependency is in no index: it names the only entry that falls by it
      if (own !== undefined) {
        this.dropEntry(partition, own, below);
        continue;
      }
      const keys = this.entries.dependants(partition, d);
      if (this.areMany(removed + keys.size)) this.mark(partition, d, below);
      else {
        removed += keys.size;
        for (const key of [...keys]) this.dropEntry(partition, key, below);
      }
    }
  }

  /** Whether so many are marked and swept, because to remove them at once would hold the process up. */
  private areMany(entries: number): boolean {
    return entries > REMOVED_AT_ONCE_MAX;
  }

  private dropEntry(partition: L1Partition, key: string, below: number): void {
    const entry = this.entries.byKey.get(key);
    if (entry?.partition === partition && entry.clock < below) this.entries.remove(key);
  }

  private mark(partition: L1Partition, dependency: Dependency, below: number): void {
    const isMarked = partition.mark(dependency, below, this.entries.lastOrder);
    this.sweep.begin(partition, isMarked ? dependency : 'all');
  }

  /** From now on no hit is answered with an entry that the partition has here. */
  private forget(partition: L1Partition): void {
    const { byKey, lastOrder } = this.entries;
    partition.markAll(lastOrder);
    if (this.areMany(byKey.size)) {
      this.sweep.begin(partition, 'all');
      return;
    }
    for (const key of [...byKey.keys()]) this.entries.removeInvalidated(key);
    partition.swept('all');
  }

  private partitionOf(key: string): L1Partition {
    return this.partitions[this.options.partitionOf(key)] as L1Partition;
  }
}

/**
 * The later build is newer. Within one build, the value read at the later clock is newer, then the one with the later
 * end.
 */
function isNewer(entry: L1Entry, present: KeptEntry): boolean {
  if (entry.build !== present.build) return entry.build > present.build;
  if (entry.clock !== present.clock) return entry.clock > present.clock;
  return entry.expiresAt > (present.expiresAt ?? 0);
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
