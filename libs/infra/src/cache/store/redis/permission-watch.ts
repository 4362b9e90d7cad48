import { needsOf, type Need } from '../../../redis/needs.js';
import { missingPermissions } from '../../../redis/permission-examination.js';
import { Refusals } from '../../../redis/refusals.js';
import { acknowledgementNeed, layoutNeed, comfortNeed, partitionNeed } from './cache-needs.js';
import type { Partition, Partitions } from './partition.js';
import type { RedisConnection } from './scripts.js';

/** What was taken away is known within a second, whether anybody asks for it or not. */
const PERIOD_MS = 1000;

/**
 * Looks what Redis allows to this connection: all that the cache needs before it is used, and of everything on the connection
 * a part each second. Health and the log are told what is missing, and the line that mends it.
 */
export class PermissionWatch {
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;
  private isLooking = false;
  private readonly told = new Set<string>();

  constructor(
    private readonly redis: RedisConnection,
    private readonly appName: string,
    private readonly partitions: Partitions,
    /** Something that the cache cannot do without is missing. */
    private readonly onMissing: (reason: string) => void,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), PERIOD_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
    for (const part of this.told) Refusals.of(this.redis).tell(part, undefined);
  }

  /** What of all that the cache cannot do without is missing; undefined: nothing. Rejects if Redis does not answer. */
  async examine(): Promise<string | undefined> {
    const needs = this.partitions.all.map((partition) => partitionNeed(this.appName, partition));
    return this.missing([...needs, ...this.besidePartitions()]);
  }

  private async look(): Promise<void> {
    if (this.isLooking || this.redis.status !== 'ready') return;
    this.isLooking = true;
    // A partition at each turn: on a Cluster each may be another server. Its channels are tried at a connection only, because
    // every process would hear of it; who loses one loses the connection that listens to it as well.
    const partition = this.partitions.all[this.turn++ % this.partitions.all.length] as Partition;
    const own: Need = { ...partitionNeed(this.appName, partition), channels: [] };
    const others = [...needsOf(this.redis).values(), comfortNeed(this.appName, partition)];
    // Rejected ones tell nothing: the server is away or slow, which the connection knows.
    const [vital, ...rest] = await Promise.allSettled([
      this.missing([own, ...this.besidePartitions()]),
      ...others.map((need) => this.missing([need])),
    ]);
    this.isLooking = false;
    if (vital.status === 'fulfilled' && vital.value !== undefined) this.onMissing(vital.value);
    rest.forEach((seen, i) => {
      if (seen.status === 'fulfilled') this.tell((others[i] as Need).part, seen.value);
    });
  }

  private besidePartitions(): Need[] {
    const acknowledgements = acknowledgementNeed(this.appName, this.redis);
    return [layoutNeed(this.appName), ...(acknowledgements ? [acknowledgements] : [])];
  }

  private tell(part: string, reason: string | undefined): void {
    this.told.add(part);
    Refusals.of(this.redis).tell(part, reason);
  }

  private async missing(needs: readonly Need[]): Promise<string | undefined> {
    const sentences = await Promise.all(needs.map((need) => missingPermissions(this.redis, need)));
    return sentences.find((sentence) => sentence !== undefined);
  }
}
