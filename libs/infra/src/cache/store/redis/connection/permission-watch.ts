import { needsOf, type Need } from '../../../../redis/needs.js';
import { missingPermissions } from '../../../../redis/permission-examination.js';
import { Refusals } from '../../../../redis/refusals.js';
import { acknowledgementNeed, layoutNeed, comfortNeed, partitionNeed } from './cache-needs.js';
import type { Partition, Partitions } from '../partition/partition.js';
import type { RedisConnection } from '../partition/scripts.js';

/** Interval of the looks: on one server a lost permission for a command is known within about a second, used or not. */
const PERIOD_MS = 1000;

/**
 * Examines what Redis allows to this connection: before a server is used, everything that the cache needs there; then
 * each second the needs of one partition without its channels, and everything else that is needed on the connection.
 * Health and the log learn what is missing, and the line of the ACL that mends it.
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
    /** Called when a permission is missing that the cache cannot do without. */
    private readonly onMissing: (reason: string) => void,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), PERIOD_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
    for (const part of this.told) Refusals.of(this.redis).tell(part, undefined);
  }

  /**
   * A sentence that names missing permissions that the cache cannot do without; undefined if none is missing. Rejects
   * if Redis does not answer.
   */
  async examine(): Promise<string | undefined> {
    const needs = this.partitions.all.map((partition) => partitionNeed(this.appName, partition));
    return this.missing([...needs, ...this.besidePartitions()]);
  }

  private async look(): Promise<void> {
    if (this.isLooking || this.redis.status !== 'ready') return;
    this.isLooking = true;
    // One partition at each turn: on a Cluster each may be on another server. Its channels are tried only in `examine`,
    // at a new connection, because every process receives the message of the trial. A channel that is lost later shows
    // without a trial: Redis also ends the connection that listens to it.
    const partition = this.partitions.all[this.turn++ % this.partitions.all.length] as Partition;
    const own: Need = { ...partitionNeed(this.appName, partition), channels: [] };
    const others = [...needsOf(this.redis).values(), comfortNeed(this.appName, partition)];
    // A rejection shows nothing: the server is away or slow, which the connection knows.
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
