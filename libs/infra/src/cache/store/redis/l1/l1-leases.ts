import { reportDefect } from '../../../../process/defect-report.js';
import { StoreUnavailableError } from '../../../cache.errors.js';
import type { L1Cache } from '../../../l1/l1-cache.js';
import type { Position } from '../../../l1/l1-partition.js';
import { parseGate, type Partition, type Partitions } from '../partition/partition.js';
import { UnknownReplyError } from '../partition/scripts.js';
import type { BusInvalidation } from '../bus/store-messages.js';

/** How often a process requests a lease, and how long a lease lasts. The same in every process of an application. */
export interface LeaseTimes {
  readonly beatMs: number;
  readonly leaseMs: number;
}

/**
 * Four beats fit into a lease, so one lost answer costs nothing. A stopped process with a `strict` L1 delays an
 * invalidation by about a second.
 */
export const LEASE_TIMES: LeaseTimes = { beatMs: 250, leaseMs: 1000 };

/** The calls to the store that leases need. */
export interface LeaseCalls {
  /** `believedUntil`: end of the trust in the answer, by `performance.now()`. @default as long as the lease */
  beat(
    partition: Partition,
    position: Position,
  ): Promise<readonly [code: string, gate: string, serverMs: number, believedUntil?: number]>;
  leave(partition: Partition): Promise<void>;
  acknowledge(requester: string, tips: readonly string[]): Promise<void>;
}

/**
 * Keeps the leases of an L1 alive and the L1 in step with the bus (invariant 13). A lease counts from the instant of
 * its request: answers may be late or lost, and a long pause of the process ends it, too.
 */
export class L1Leases {
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly inFlight = new Set<Partition>();
  private readonly toAcknowledge = new Map<string, string[]>();

  constructor(
    private readonly cache: L1Cache,
    private readonly partitions: Partitions,
    private readonly times: LeaseTimes,
    private readonly calls: LeaseCalls,
  ) {}

  start(): void {
    this.beatAll();
    this.timer = setInterval(() => this.beatAll(), this.times.beatMs).unref();
  }

  /** Closes the L1 first, then gives the membership up, so that later invalidations need not wait for it. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    this.cache.close();
    const left = Promise.allSettled(this.partitions.all.map((partition) => this.calls.leave(partition)));
    // If a member cannot leave in time, another process's next invalidation waits a lease for it, and then removes it.
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise((resolve) => (timer = setTimeout(resolve, this.times.leaseMs)));
    await Promise.race([left, overdue]);
    clearTimeout(timer);
  }

  /** The L1 follows an invalidation from the bus, and acknowledges it if it must and a process waits. */
  follow(index: number, invalidation: BusInvalidation, mustAcknowledge: boolean): void {
    this.cache.follow(index, invalidation);
    const { requester, tip } = invalidation;
    if (requester === undefined || !mustAcknowledge) return;
    const tips = this.toAcknowledge.get(requester);
    if (tips) tips.push(tip);
    else this.toAcknowledge.set(requester, [tip]);
    if (this.toAcknowledge.size === 1 && !tips) setImmediate(() => this.sendAcknowledgements());
  }

  private sendAcknowledgements(): void {
    for (const [requester, tips] of this.toAcknowledge) {
      // The next beat, which carries the position, makes up for a lost acknowledgement.
      this.calls.acknowledge(requester, tips).catch(() => undefined);
    }
    this.toAcknowledge.clear();
  }

  private beatAll(): void {
    this.partitions.all.forEach((partition, index) => void this.beat(partition, index, true));
  }

  private async beat(partition: Partition, index: number, mayRepeat: boolean): Promise<void> {
    const l1 = this.cache.partitions[index];
    if (!l1 || this.isClosed || this.inFlight.has(partition)) return;
    this.inFlight.add(partition);
    try {
      const { generation } = l1;
      const sentAt = performance.now(); // before anything delays the request: the delay must shorten the lease
      const [code, gateText, serverMs, believedUntil = Infinity] = await this.calls.beat(partition, l1.processed);
      const gate = parseGate(gateText);
      if (!gate || this.isClosed) return;
      l1.learnTime(serverMs, sentAt);
      const until = Math.min(sentAt + this.times.leaseMs, believedUntil);
      if (code === 'OK') l1.confirmed(gate, until, generation);
      else if (code === 'JOIN' || code === 'LOST') l1.adopt(gate, until);
      else throw new UnknownReplyError('beat', code);
      // The L1 has started afresh at this gate. A second beat tells the store at once, which does not know it yet.
      if (code === 'LOST' && mayRepeat) setImmediate(() => void this.beat(partition, index, false));
    } catch (error) {
      // Without an answer the lease runs out by itself.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    } finally {
      this.inFlight.delete(partition);
    }
  }
}
