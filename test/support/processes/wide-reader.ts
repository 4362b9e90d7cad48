import { randomInt } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { ManyBucket } from '@bff/infra/cache/many-bucket';
import { changeDriven } from '@bff/infra/cache/strategies';
import type { Redis } from 'ioredis';
import type { WatchedReads } from './cache-process.messages.js';

/** Ids in one read, and reads at the same time, while the entries are filled. */
const IDS = 200;
const FILLING = 8;
const READS_A_TURN = 5;
const TURN_MS = 5;

/**
 * Very many entries that all depend on one record, of which a number in the source is the only content: filled, read
 * at random, and watched while the record is invalidated.
 */
export class WideReader {
  private readonly bucket: ManyBucket<number, [id: string]>;
  private isWatching = false;
  private watching: Promise<WatchedReads> | undefined;

  constructor(
    private readonly cache: CacheService,
    source: Redis,
    key: string,
  ) {
    this.bucket = new ManyBucket(cache, 'wide', key, {
      strategy: changeDriven(),
      loadMany: async (many, { dependsOn }) => {
        dependsOn(record('Source', key));
        const version = Number(await source.get(`source:${key}`));
        return many.map(() => version);
      },
    });
  }

  /** Reads all these entries once; resolves with the number of entries in the L1. */
  async fill(count: number): Promise<number> {
    let next = 0;
    const filler = async () => {
      while (next < count) {
        const from = next;
        next += IDS;
        const ids = Array.from({ length: Math.min(IDS, count - from) }, (_, i): [string] => [`id${from + i}`]);
        await this.bucket.getMany(ids);
      }
    };
    await Promise.all(Array.from({ length: FILLING }, filler));
    return this.entries();
  }

  /** The number of entries in the L1. */
  entries(): number {
    return this.cache.state().l1?.entries ?? 0;
  }

  /** Reads a few entries at random, one a millisecond, until `watched`. */
  watch(count: number, old: number): void {
    this.isWatching = true;
    this.watching = this.read(count, old);
    this.watching.catch(() => undefined); // `watched` reports it
  }

  watched(): Promise<WatchedReads> | undefined {
    this.isWatching = false;
    return this.watching;
  }

  private async read(count: number, old: number): Promise<WatchedReads> {
    const turns = monitorEventLoopDelay({ resolution: 1 });
    let lastOldReadAt: number | undefined;
    let reads = 0;
    const readOne = async () => {
      const at = monotonicMs();
      if ((await this.bucket.get([`id${randomInt(count)}`])) <= old) lastOldReadAt = Math.max(lastOldReadAt ?? 0, at);
      reads++;
    };
    turns.enable();
    while (this.isWatching) {
      await Promise.all([...Array.from({ length: READS_A_TURN }, readOne), delay(TURN_MS)]);
    }
    turns.disable();
    return { reads, lastOldReadAt, longestTurnMs: Math.max(0, turns.max / 1e6 - 1) };
  }
}

/** The system's monotonic clock in milliseconds: the same for all processes of a machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
