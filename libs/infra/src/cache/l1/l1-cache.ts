import { LRUCache } from 'lru-cache';
import { entry as entryDependency, entryKey, type Dependency } from '../dependencies.js';
import type { L1Reads } from '../protocol/cache-store.js';
import { hitClock } from '../../process/hit-clock.js';
import { L1Partition, type ChainedInvalidation, type Position } from './l1-partition.js';

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

/**
 * What a hit reads of an entry in `served`. An entry is there if it has an end, if the cache has several partitions, or
 * if the cache was crowded when the entry was kept or hit.
 */
interface Served {
  readonly answer: Promise<unknown>;
  readonly partition: L1Partition;
  readonly expiresAt: number;
  /** Set by a hit, so that the entry survives one eviction pass. */
  wasHit: boolean;
}

/** The rest of an entry, which a hit does not read. */
interface Kept {
  readonly bytes: number;
  readonly clock: number;
  readonly build: number;
  readonly expiresAt: number;
  readonly dependencies: readonly string[];
  readonly index: Map<string, Set<string>>;
}

/**
 * The part of `maxEntries` or `maxBytes` from which a cache counts as crowded: it will soon have to choose entries to
 * evict, so it notes all hits. With more room, hits of `answers` are not noted: they would matter only if a new entry
 * were larger than the room that is left.
 */
const CROWDED = 0.5;
/**
 * Maximum entries, the oldest first, that a new one spares because they were hit. If all of these were hit, the next
 * oldest may be evicted even if it was hit as well.
 */
const SPARED_MAX = 8;
/** Estimated bytes of an entry beside its value and its dependencies. */
const ENTRY_OVERHEAD = 200;
/** Estimated bytes of a dependency, in the entry and in the index. */
const DEPENDENCY_OVERHEAD = 100;
/** Maximum dependencies of a kept entry. More would make forgetting slow; such entries stay in the store. */
const DEPENDENCIES_MAX = 64;

/**
 * L1: parsed values in this process, bounded in bytes and entries. An entry is served only while this process holds the
 * L1's lease of its partition. To hold it, the process has reported to the store how far it has followed the
 * invalidations. In the mode `strict` an invalidation waits until each such process has followed it or has lost the
 * lease (docs/concepts/l1.md).
 */
export class L1Cache implements L1Reads {
  readonly partitions: readonly L1Partition[];
  /**
   * Entries without an end that were kept while the cache was not crowded, if it has one partition. A hit while it is
   * crowded moves the entry to `served`. A hit here needs only the answer. With ten thousand keys the cost of a hit is
   * the memory that it fetches; an object between the key and the answer would be a fifth of that.
   */
  private readonly answers = new Map<string, Promise<unknown>>();
  /** All other entries. */
  private readonly served = new Map<string, Served>();
  /** Decides which entry goes when there are too many. */
  private readonly recency: LRUCache<string, Kept>;
  private readonly keysOf: Map<string, Set<string>>[];
  /** The only partition; undefined if there are several. */
  private readonly only: L1Partition | undefined;
  private isCrowded = false;

  constructor(private readonly options: L1CacheOptions) {
    this.recency = new LRUCache<string, Kept>({
      max: options.maxEntries,
      maxSize: options.maxBytes,
      sizeCalculation: (kept) => kept.bytes + ENTRY_OVERHEAD + kept.dependencies.length * DEPENDENCY_OVERHEAD,
      dispose: (kept, key) => this.leave(key, kept),
    });
    this.keysOf = Array.from({ length: options.partitions }, () => new Map<string, Set<string>>());
    this.partitions = this.keysOf.map((_, p) => new L1Partition(() => this.forget(p)));
    this.only = options.partitions === 1 ? this.partitions[0] : undefined;
  }

  /**
   * One promise of the value for all hits, if the entry may be served. The clock is read after the read began; that
   * instant is the instant of the read.
   */
  find(key: string): Promise<unknown> | undefined {
    const answer = this.answers.get(key);
    if (answer === undefined) return this.findServed(key);
    const only = this.only as L1Partition;
    if (!only.isLive(hitClock())) return undefined;
    if (this.isCrowded) this.serve(key, { answer, partition: only, expiresAt: 0, wasHit: true });
    return answer;
  }

  private findServed(key: string): Promise<unknown> | undefined {
    const served = this.served.get(key);
    if (served === undefined) return undefined;
    const { answer, partition, expiresAt } = served;
    const now = hitClock();
    if (!partition.isLive(now) || partition.hasEnded(expiresAt, now)) return undefined;
    if (!served.wasHit) served.wasHit = true; // checked first: an unneeded write costs a tenth of a hit
    return answer;
  }

  /** Lower bound, in milliseconds, of the time until the entry expires; undefined if it is not kept, or has no TTL. */
  remainingMs(key: string): number | undefined {
    const served = this.served.get(key);
    return served?.partition.remainingMs(served.expiresAt, hitClock());
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
    const partition = this.partitionOf(key);
    const index = this.keysOf[this.options.partitionOf(key)] as Map<string, Set<string>>;
    if (entry.dependencies.length > DEPENDENCIES_MAX) return;
    if (!partition.mayKeep(generation, entry, [entryDependency(key), ...entry.dependencies])) return;
    const present = this.recency.peek(key);
    if (present && !isNewer(entry, present)) return;
    const value = this.options.shouldFreeze ? deepFreeze(entry.value) : entry.value;
    const { bytes, clock, build, expiresAt, dependencies } = entry;
    const kept: Kept = { bytes, clock, build, expiresAt, dependencies, index };
    this.spareHit();
    this.recency.set(key, kept);
    this.isCrowded = this.crowding >= CROWDED;
    if (this.recency.peek(key) !== kept) return; // it is larger than the bound, so it was not kept
    this.serve(key, { answer: Promise.resolve(value), partition, expiresAt, wasHit: false });
    this.index(key, kept);
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
    this.drop(partition, dependencies, at?.clock ?? Infinity);
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
    return { entries: this.recency.size, bytes: this.recency.calculatedSize };
  }

  private drop(partition: number, dependencies: readonly Dependency[], clock: number): void {
    const index = this.keysOf[partition] as Map<string, Set<string>>;
    for (const d of dependencies) {
      const own = entryKey(d); // an `entry` dependency is in no index: it names the only entry that falls by it
      for (const key of own === undefined ? [...(index.get(d) ?? [])] : [own]) {
        const kept = this.recency.peek(key);
        if (kept?.index === index && kept.clock < clock) this.recency.delete(key);
      }
    }
  }

  private forget(partition: number): void {
    const index = this.keysOf[partition] as Map<string, Set<string>>;
    index.clear();
    for (const key of this.answers.keys()) this.recency.delete(key); // `answers` is empty with several partitions
    for (const [key, served] of this.served)
      if (served.partition === this.partitions[partition]) this.recency.delete(key);
  }

  private serve(key: string, served: Served): void {
    const isPlain = this.only !== undefined && served.expiresAt === 0 && !this.isCrowded;
    if (isPlain) this.answers.set(key, served.answer);
    else {
      this.answers.delete(key);
      this.served.set(key, served);
    }
  }

  private get crowding(): number {
    const { maxEntries, maxBytes } = this.options;
    return Math.max(this.recency.size / maxEntries, this.recency.calculatedSize / maxBytes);
  }

  /**
   * Clock algorithm: a recently hit entry survives one eviction pass. A hit is cheaper than if it moved the entry to
   * the front, and the cache still tells busy entries from idle ones.
   */
  private spareHit(): void {
    for (let i = 0; i < SPARED_MAX; i++) {
      const [oldest] = this.recency.rkeys() as Iterable<string>;
      const served = oldest === undefined ? undefined : this.served.get(oldest);
      if (!served?.wasHit) return;
      served.wasHit = false;
      this.recency.get(oldest as string);
    }
  }

  private index(key: string, { dependencies, index }: Kept): void {
    for (const d of dependencies) {
      const keys = index.get(d);
      if (keys) keys.add(key);
      else index.set(d, new Set([key]));
    }
  }

  private leave(key: string, { dependencies, index }: Kept): void {
    this.answers.delete(key);
    this.served.delete(key);
    for (const d of dependencies) {
      const keys = index.get(d);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(d);
    }
  }

  private partitionOf(key: string): L1Partition {
    return this.partitions[this.options.partitionOf(key)] as L1Partition;
  }
}

/**
 * The later build is newer. Within one build, the value read at the later clock is newer, then the one with the later
 * end.
 */
function isNewer(entry: L1Entry, present: Kept): boolean {
  if (entry.build !== present.build) return entry.build > present.build;
  if (entry.clock !== present.clock) return entry.clock > present.clock;
  return entry.expiresAt > present.expiresAt;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
