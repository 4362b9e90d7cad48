import { L1Cache, type L1Entry } from '../../../l1/l1-cache.js';
import type { Position } from '../../../l1/l1-partition.js';
import type { ValueCodec } from '../../../protocol/value-codec.js';
import type { L1State, StoredValue } from '../../../protocol/cache-store.js';
import { buildOf, embeddedDependencies, expiryOf } from '../entries/entry-envelope.js';
import { L1Leases, LEASE_TIMES, type LeaseCalls } from './l1-leases.js';
import type { Partition, Partitions } from '../partition/partition.js';
import type { BusInvalidation } from '../bus/store-messages.js';

/**
 * `strict`: other processes' invalidations wait until this L1 has followed or left, or its lease is over. `bounded`:
 * they do not wait for it; it serves a value for at most one lease after its invalidation.
 */
export type L1Mode = 'bounded' | 'strict';

export interface L1Options {
  readonly mode: L1Mode;
  readonly codec: ValueCodec;
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly shouldFreeze: boolean;
}

/** The L1 of a store on Redis: keeps the values of replies, and serves them while the lease of their partition runs. */
export class RedisL1 {
  readonly cache: L1Cache;
  private readonly leases: L1Leases;

  constructor(
    private readonly options: L1Options,
    partitions: Partitions,
    calls: LeaseCalls,
  ) {
    const { maxBytes, maxEntries, shouldFreeze } = options;
    const partitionOf = (key: string) => partitions.of(key).index;
    this.cache = new L1Cache({ partitions: partitions.all.length, partitionOf, maxBytes, maxEntries, shouldFreeze });
    this.leases = new L1Leases(this.cache, partitions, LEASE_TIMES, calls);
  }

  state(): L1State {
    return { mode: this.options.mode, ...this.cache.size };
  }

  /**
   * Keeps the value of a hit if it can be decoded and the entry carries dependencies; then sets `stored.decoded`.
   * `generation` is that of `cache` before the read was sent.
   */
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

  /** Keeps a value that was just stored or read, if it can be decoded; then sets `stored.decoded`. */
  keepValue(key: string, generation: number, entry: Omit<L1Entry, 'value' | 'bytes'>, stored: StoredValue): void {
    const decoded = this.options.codec.decode(key, stored);
    if (!decoded) return;
    stored.decoded = decoded;
    this.cache.keep(key, generation, { ...entry, value: decoded.value, bytes: stored.bytes.length });
  }

  /**
   * Follows an invalidation from the bus. An L1 acknowledges only in `strict` mode, and never to its own process,
   * `self`.
   */
  follow(partition: Partition, invalidation: BusInvalidation, self: string): void {
    const mustAcknowledge = this.options.mode === 'strict' && invalidation.requester !== self;
    this.leases.follow(partition.index, invalidation, mustAcknowledge);
  }

  start(): void {
    this.leases.start();
  }

  close(): Promise<void> {
    return this.leases.close();
  }
}
