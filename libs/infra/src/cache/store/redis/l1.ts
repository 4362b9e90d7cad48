import type { Dependency } from '../../dependencies.js';
import { LocalCache, type LocalEntry } from '../../local/local-cache.js';
import type { Position } from '../../local/local-partition.js';
import type { ValueCodec } from '../../values/value-codec.js';
import type { LocalReads, LocalState, StoredValue } from '../cache-store.js';
import { buildOf, embeddedDependencies, expiryOf } from './entry-envelope.js';
import { L1Leases, LEASE_TIMES, type LeaseCalls } from './l1-leases.js';
import type { Partition, Partitions } from './partition.js';
import type { BusInvalidation } from './store-messages.js';

/**
 * `strict`: whoever invalidates waits until every L1 has followed, or its lease is over. `bounded`: nobody waits; a value is
 * served for at most a lease longer than it was true.
 */
export type L1Mode = 'bounded' | 'strict';

export interface L1Options {
  readonly mode: L1Mode;
  readonly codec: ValueCodec;
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly shouldFreeze: boolean;
}

/** The L1 of a store on Redis: what the store's replies bring is kept, and served while the partition's lease runs. */
export class L1 implements LocalReads {
  private readonly local: LocalCache;
  private readonly leases: L1Leases;

  constructor(
    private readonly options: L1Options,
    partitions: Partitions,
    calls: LeaseCalls,
  ) {
    const { maxBytes, maxEntries, shouldFreeze } = options;
    const partitionOf = (key: string) => partitions.of(key).index;
    this.local = new LocalCache({ partitions: partitions.all.length, partitionOf, maxBytes, maxEntries, shouldFreeze });
    this.leases = new L1Leases(this.local, partitions, LEASE_TIMES, calls);
  }

  find(key: string): Promise<unknown> | undefined {
    return this.local.find(key);
  }

  remainingMs(key: string): number | undefined {
    return this.local.remainingMs(key);
  }

  state(): LocalState {
    return { mode: this.options.mode, ...this.local.size };
  }

  /** Take it before a read or a commit is sent. */
  generation(key: string): number {
    return this.local.generation(key);
  }

  /** Keeps what a hit has brought, if the entry tells its dependencies. Sets `stored.decoded`. */
  keep(key: string, generation: number, { clock, tip }: Position, envelope: Buffer, stored: StoredValue): void {
    const dependencies = embeddedDependencies(envelope);
    if (!dependencies) return;
    this.keepValue(
      key,
      generation,
      { clock, tip, build: buildOf(envelope), dependencies, expiresAt: expiryOf(envelope) },
      stored,
    );
  }

  /** Likewise for a value that was just stored. */
  keepValue(key: string, generation: number, entry: Omit<LocalEntry, 'value' | 'bytes'>, stored: StoredValue): void {
    const decoded = this.options.codec.decode(key, stored);
    if (!decoded) return;
    stored.decoded = decoded;
    this.local.keep(key, generation, { ...entry, value: decoded.value, bytes: stored.bytes.length });
  }

  /** This process invalidates: at first, and again with the position at which it was carried out. */
  invalidateOwn(partition: Partition, dependencies: readonly Dependency[], at?: Position): void {
    this.local.invalidateOwn(partition.index, dependencies, at);
  }

  /** `self` needs no acknowledgement from itself, and of a bounded L1 nobody expects one. */
  follow(partition: Partition, invalidation: BusInvalidation, self: string): void {
    const mustAcknowledge = this.options.mode === 'strict' && invalidation.requester !== self;
    this.leases.follow(partition.index, invalidation, mustAcknowledge);
  }

  /** From now on nothing of the partition is kept or served, until `resume`; leases and acknowledgements go on as before. */
  suspend(partition: Partition): void {
    this.local.suspend(partition.index);
  }

  /** Begins afresh: what was asked of the store before is not kept. It serves again from the next beat on. */
  resume(partition: Partition): void {
    this.local.resume(partition.index);
  }

  start(): void {
    this.leases.start();
  }

  close(): Promise<void> {
    return this.leases.close();
  }
}
