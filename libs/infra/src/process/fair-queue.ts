import { Lane, Waiter, type RequestKind } from './queue/lane.js';
import { LongestLanes } from './queue/longest-lanes.js';
import { Turns } from './queue/turns.js';
import { QueueAbortedError, QueueFullError } from './fair-queue.errors.js';

export type { RequestKind } from './queue/lane.js';

/** The limits of a source's queue. */
export interface FairQueueLimits {
  /** Maximum number of requests at once. */
  readonly slots: number;
  /** How many of the slots only writes may use; reads have one slot at least. */
  readonly writeSlots: number;
  /** Percentage of the slots that one account may have while there are others. One slot it may always have. */
  readonly sharePercent: number;
  /** Maximum number of waiting requests of one account. */
  readonly accountQueueMax: number;
  /** Maximum number of waiting requests in all. */
  readonly queueMax: number;
}

/** A request's account, and what kind it is. */
export interface FairRequest {
  /** Undefined: the process itself, such as the reconciler. */
  readonly account: string | undefined;
  readonly kind: RequestKind;
  /** Abort it to leave the queue at once. A request under way keeps its slot until it ends. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How long an account counts as another one after its last request has ended. A page needs several requests, one after
 * the other; in the pause between them, nobody may take the slot that the next one needs.
 */
const PRESENT_MS = 1_000;

/**
 * Sends the requests of accounts in turn, so that no account waits for the many requests of another one.
 *
 * - Each account has a queue of its own, writes before reads. A free slot goes to the next account that has fewer slots
 *   than its share. An account may have more only while it is alone: no other has a request, or has had one within the
 *   last second.
 * - The process itself is one more account, but only the bound of all limits its queue, and a free slot goes to it
 *   first while it has less than a fifth of those for reads, or none. Where reads have a single slot, it takes turns
 *   only.
 * - Beyond the bound of an account, its request is refused, but a write takes the place of the account's newest read.
 *   Beyond the bound of all, the newest read (or write, if it has no read) of the longest queue makes room.
 *
 * Every operation takes constant time. The memory is that of the waiting and running requests.
 */
export class FairQueue {
  private readonly lanes = new Map<string | undefined, Lane>();
  private readonly turns = new Turns((lane) => lane.turn);
  private readonly writeTurns = new Turns((lane) => lane.writeTurn);
  private readonly longest = new LongestLanes();
  private readonly share: number;
  /** How many slots reads may use. */
  private readonly readSlots: number;
  /** While the process has fewer slots than this, a free one goes to it first. */
  private readonly ownShare: number;
  private running = 0;
  private runningReads = 0;
  private waiting = 0;
  /** The last two accounts whose requests all ended, the later one first. */
  private leavers: readonly { readonly account: string | undefined; readonly at: number }[] = [];

  constructor(
    private readonly limits: FairQueueLimits,
    private readonly now: () => number = () => performance.now(),
  ) {
    const { slots, writeSlots, sharePercent } = limits;
    this.share = Math.max(1, Math.floor((slots * sharePercent) / 100));
    this.readSlots = Math.max(1, slots - writeSlots);
    this.ownShare = this.readSlots === 1 ? 0 : Math.max(1, Math.floor(this.readSlots / 5));
  }

  /** The requests under way and waiting, and the accounts that have any. */
  get state(): { readonly running: number; readonly waiting: number; readonly accounts: number } {
    return { running: this.running, waiting: this.waiting, accounts: this.lanes.size };
  }

  /** Whether a read could be sent at once, if it is that of an account that has less than its share. */
  get hasFreeSlot(): boolean {
    return this.runningReads < this.readSlots && this.running < this.limits.slots;
  }

  /**
   * Runs `work` in a slot and settles as it does. Without having run it, rejects with `QueueFullError`, or with
   * `QueueAbortedError` once the signal is aborted.
   */
  async run<T>(request: FairRequest, work: () => Promise<T>): Promise<T> {
    const waiter = this.join(request);
    await waiter.turn;
    try {
      return await work();
    } finally {
      this.end(waiter);
    }
  }

  private join({ account, kind, signal }: FairRequest): Waiter {
    if (signal?.aborted) throw new QueueAbortedError(signal.reason);
    const lane = this.lanes.get(account) ?? new Lane(account);
    this.lanes.set(account, lane);
    const waiter = new Waiter(lane, kind, signal, (left) => this.withdraw(left, new QueueAbortedError(signal?.reason)));
    (kind === 'write' ? lane.writes : lane.reads).append(waiter.link);
    this.waiting += 1;
    this.moved(lane);
    this.startNext();
    if (waiter.isWaiting) this.makeRoom(waiter);
    return waiter;
  }

  /** Refuses a request if one more waits than may: this one, or one that gives way to it. */
  private makeRoom(waiter: Waiter): void {
    const { slots, accountQueueMax, queueMax } = this.limits;
    const { lane } = waiter;
    if (lane.account !== undefined && lane.waiting > accountQueueMax) {
      this.withdraw(lane.newest ?? waiter, new QueueFullError('account', accountQueueMax, slots));
    } else if (this.waiting > queueMax) {
      const { first = lane } = this.longest;
      const { newest = waiter } = first.waiting > lane.waiting ? first : lane;
      this.withdraw(newest, new QueueFullError('all', queueMax, slots));
    }
  }

  private withdraw(waiter: Waiter, reason: Error): void {
    this.leave(waiter);
    waiter.refuse(reason);
    this.forgetIdle(waiter.lane);
  }

  private startNext(): void {
    for (let lane = this.nextLane(); lane?.next; lane = this.nextLane()) this.start(lane.next);
  }

  /** The lane that a free slot goes to; undefined if there is no slot, or nobody who may have it. */
  private nextLane(): Lane | undefined {
    if (this.running >= this.limits.slots) return undefined;
    const isForWrites = this.runningReads >= this.readSlots;
    const own = this.lanes.get(undefined);
    const ownWaiting = isForWrites ? own?.writes.size : own?.waiting;
    if (own && ownWaiting && own.running < this.ownShare) return own;
    return (isForWrites ? this.writeTurns : this.turns).first((lane) => this.isAlone(lane));
  }

  private start(waiter: Waiter): void {
    const { lane, kind } = waiter;
    this.leave(waiter);
    lane.running += 1;
    this.running += 1;
    if (kind === 'read') this.runningReads += 1;
    this.turns.pass(lane);
    this.writeTurns.pass(lane);
    this.moved(lane);
    waiter.start();
  }

  private end({ lane, kind }: Waiter): void {
    lane.running -= 1;
    this.running -= 1;
    if (kind === 'read') this.runningReads -= 1;
    this.moved(lane);
    this.forgetIdle(lane);
    this.startNext();
  }

  private leave(waiter: Waiter): void {
    waiter.link.chain?.remove(waiter.link);
    this.waiting -= 1;
    this.moved(waiter.lane);
  }

  /** Puts the lane where it belongs after what it has waiting or running has changed. */
  private moved(lane: Lane): void {
    const isBelowShare = lane.running < this.share;
    this.turns.place(lane, lane.waiting > 0, isBelowShare);
    this.writeTurns.place(lane, lane.writes.size > 0, isBelowShare);
    this.longest.update(lane);
  }

  private forgetIdle(lane: Lane): void {
    if (lane.running > 0 || lane.waiting > 0) return;
    this.lanes.delete(lane.account);
    const others = this.leavers.filter(({ account }) => account !== lane.account);
    this.leavers = [{ account: lane.account, at: this.now() }, ...others].slice(0, 2);
  }

  /** Whether no other account has a request, or has had one lately. */
  private isAlone(lane: Lane): boolean {
    if (this.lanes.size > 1) return false;
    const other = this.leavers.find(({ account }) => account !== lane.account);
    return other === undefined || this.now() - other.at >= PRESENT_MS;
  }
}
