import { LRUCache } from 'lru-cache';
import { entry as entryDependency, entryKey, type Dependency } from '../dependencies.js';
import { hitClock } from './hit-clock.js';
import { LocalPartition, type ChainedInvalidation, type Position } from './local-partition.js';

export interface LocalCacheOptions {
  readonly partitions: number;
  readonly partitionOf: (key: string) => number;
  /** Bytes of the values, as they are stored; their objects take two to three times as much. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Freeze what is kept, so that a caller that changes it is caught. */
  readonly shouldFreeze: boolean;
}

/** What is to be kept: the value with what the store said of it in the reply that brought it. */
export interface LocalEntry {
  readonly value: unknown;
  readonly bytes: number;
  /** Where the partition stood in that reply: the value was valid then. */
  readonly clock: number;
  readonly tip: string;
  /** Of two values of a key, the one with the higher number was begun later. */
  readonly build: number;
  readonly dependencies: readonly Dependency[];
  /** The store's time at which the entry expires, in milliseconds; 0: it does not. */
  readonly expiresAt: number;
}

/** What a hit looks at where more than the lease is to be looked at, or noted. */
interface Served {
  readonly answer: Promise<unknown>;
  readonly partition: LocalPartition;
  readonly expiresAt: number;
  /** Set by a hit, so that the entry is spared once when something has to go. */
  wasHit: boolean;
}

/** The rest of an entry, for all that is not a hit. */
interface Kept {
  readonly bytes: number;
  readonly clock: number;
  readonly build: number;
  readonly expiresAt: number;
  readonly dependencies: readonly string[];
  readonly index: Map<string, Set<string>>;
}

/**
 * From this part of its bounds on a cache is crowded: it will have to choose what goes, so it notes what is hit. With more room
 * it need not know, unless single entries are larger than what is left.
 */
const CROWDED = 0.5;
/** How many of the oldest entries a new one looks at; beyond them something goes even if all were hit. */
const SPARED_MAX = 8;
/** What an entry takes beside its bytes. */
const ENTRY_OVERHEAD = 200;
/** What a dependency takes in the entry and in the index. */
const DEPENDENCY_OVERHEAD = 100;
/** Dependencies of an entry that is kept. More would make forgetting slow; such entries stay in the store. */
const DEPENDENCIES_MAX = 64;

/**
 * L1: parsed values in this process, bounded in bytes and entries. An entry is served only while the partition's lease
 * runs; whoever holds the lease has told the store how far it has followed the invalidations, and whoever invalidates
 * waits for it (docs/concepts/l1.md).
 */
export class LocalCache {
  readonly partitions: readonly LocalPartition[];
  /**
   * Entries without an end that were kept, and hit, while a cache of one partition was not crowded: a hit needs nothing of them
   * but the answer. With ten thousand keys a hit costs the memory that it has to fetch, and an object between the key and the
   * answer a fifth of it.
   */
  private readonly answers = new Map<string, Promise<unknown>>();
  /** All other entries. */
  private readonly served = new Map<string, Served>();
  /** What decides which entry goes when there is too much. */
  private readonly recency: LRUCache<string, Kept>;
  private readonly keysOf: Map<string, Set<string>>[];
  /** The only partition; undefined if there are several. */
  private readonly only: LocalPartition | undefined;
  private isCrowded = false;

  constructor(private readonly options: LocalCacheOptions) {
    this.recency = new LRUCache<string, Kept>({
      max: options.maxEntries,
      maxSize: options.maxBytes,
      sizeCalculation: (kept) => kept.bytes + ENTRY_OVERHEAD + kept.dependencies.length * DEPENDENCY_OVERHEAD,
      dispose: (kept, key) => this.leave(key, kept),
    });
    this.keysOf = Array.from({ length: options.partitions }, () => new Map<string, Set<string>>());
    this.partitions = this.keysOf.map((_, p) => new LocalPartition(() => this.forget(p)));
    this.only = options.partitions === 1 ? this.partitions[0] : undefined;
  }

  /**
   * A promise of the value, one for all hits, if the entry may be served. The instant at which the clock is read, after the
   * read began, is the instant of the read.
   */
  find(key: string): Promise<unknown> | undefined {
    const answer = this.answers.get(key);
    if (answer === undefined) return this.findServed(key);
    const only = this.only as LocalPartition;
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
    if (!served.wasHit) served.wasHit = true; // looked at first: writing what is there already costs a tenth of a hit
    return answer;
  }

  /** Milliseconds until the entry expires; undefined if it is not kept, or has no TTL. */
  remainingMs(key: string): number | undefined {
    const served = this.served.get(key);
    return served?.partition.remainingMs(served.expiresAt, hitClock());
  }

  /** Take it before a read is sent, and hand it to `keep` with what the read brings. */
  generation(key: string): number {
    return this.partitionOf(key).generation;
  }

  /** Keeps the entry unless something has happened meanwhile that it might contradict. */
  keep(key: string, generation: number, entry: LocalEntry): void {
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
    if (this.recency.peek(key) !== kept) return; // larger than all that may be kept
    this.serve(key, { answer: Promise.resolve(value), partition, expiresAt, wasHit: false });
    this.index(key, kept);
  }

  /** The bus has told an invalidation of this partition. */
  follow(partition: number, invalidation: ChainedInvalidation): void {
    (this.partitions[partition] as LocalPartition).follow(invalidation);
    if (invalidation.dependencies !== '*') this.drop(partition, invalidation.dependencies, invalidation.clock);
  }

  /** This process invalidates: dropped before it is asked of the store, and again with the position at which it was carried out. */
  invalidateOwn(partition: number, dependencies: readonly Dependency[], at?: Position): void {
    if (at) (this.partitions[partition] as LocalPartition).rememberOwn(dependencies, at);
    this.drop(partition, dependencies, at?.clock ?? Infinity);
  }

  /** Forgets everything of the partition, and keeps and serves nothing of it until `resume`. */
  suspend(partition: number): void {
    (this.partitions[partition] as LocalPartition).suspend();
  }

  resume(partition: number): void {
    (this.partitions[partition] as LocalPartition).resume();
  }

  close(): void {
    for (const partition of this.partitions) partition.close();
  }

  /** Entries, and the bytes that they are counted with. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.recency.size, bytes: this.recency.calculatedSize };
  }

  private drop(partition: number, dependencies: readonly Dependency[], clock: number): void {
    const index = this.keysOf[partition] as Map<string, Set<string>>;
    for (const d of dependencies) {
      const own = entryKey(d); // in no index: it says which entry it is, and no other depends on it
      for (const key of own === undefined ? [...(index.get(d) ?? [])] : [own]) {
        const kept = this.recency.peek(key);
        if (kept?.index === index && kept.clock < clock) this.recency.delete(key);
      }
    }
  }

  private forget(partition: number): void {
    const index = this.keysOf[partition] as Map<string, Set<string>>;
    index.clear();
    for (const key of this.answers.keys()) this.recency.delete(key); // there are none if there are several partitions
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
   * What would go next is spared once if it was hit since it was last looked at (the clock algorithm). A hit is
   * cheaper than if it moved the entry to the front, and the busy are told from the idle as well.
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

  private partitionOf(key: string): LocalPartition {
    return this.partitions[this.options.partitionOf(key)] as LocalPartition;
  }
}

/** What is newer is the build. Of one build, what was told at a later clock, or whose end has been moved to later. */
function isNewer(entry: LocalEntry, present: Kept): boolean {
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
