import type { Dependency } from '../dependencies.js';
import { Unswept, type Judged } from './unswept.js';

/** Maximum remembered tips of processed invalidations, and of own ones that the bus has not reported yet. */
const TIPS_MAX = 1000;
/**
 * Maximum dependencies whose last invalidation is remembered one by one. Beyond it the oldest are forgotten, and only
 * the highest of their clocks is kept (`floor`).
 */
const REMEMBERED_MAX = 10_000;

/** A point in a partition's history of invalidations. */
export interface Position {
  readonly clock: number;
  readonly tip: string;
}

/** One invalidation as the bus reports it; `previousTip` is the tip of the position that it follows. */
export interface ChainedInvalidation extends Position {
  readonly previousTip: string;
  readonly dependencies: readonly Dependency[] | '*';
}

/**
 * The invalidations of one partition as far as this process knows them, and until when it may rely on knowing all
 * (docs/concepts/l1.md; model `strict.pml`). It holds no entries; it decides which may be kept and served.
 */
export class L1Partition {
  /** Counts flushes: a read that began before a flush must not leave its value behind. */
  generation = 0;
  /** The highest clock of a value that was kept since the last flush. */
  keptClock = -1;
  private position: Position = { clock: -1, tip: '' };
  private validUntil = -Infinity;
  /** `validUntil`; in the past while what was invalidated is still among the entries, so that each hit is checked. */
  private cleanUntil = -Infinity;
  private readonly unswept = new Unswept();
  /** A lease that counts only once this process has followed the bus up to its tip. */
  private promised: { readonly tip: string; readonly until: number } | undefined;
  /** Tips processed since the last flush. */
  private readonly tips = new Set<string>();
  /**
   * Tips of this process' own invalidations that the bus has not reported yet. Values read at them may be kept: the bus
   * reports in order, so it reports these invalidations before any later one.
   */
  private readonly ownTips = new Set<string>();
  private serverAhead = Infinity;
  /** dependency → clock of its last invalidation that is remembered here. */
  private readonly lastInvalidated = new Map<string, number>();
  private floor = 0;
  private isSuspended = false;

  constructor(private readonly forgetEntries: () => void) {}

  /** The last position processed without a gap; its tip is '' before the first one. */
  get processed(): Position {
    return this.position;
  }

  /**
   * Whether entries may be served at this instant. The caller must read the clock after the read has begun, never
   * before.
   */
  isLive(now: number): boolean {
    return now < this.validUntil;
  }

  /** Whether, at this instant, every entry may be served. Hits ask this first: it is the cheapest of all questions. */
  isClean(now: number): boolean {
    return now < this.cleanUntil;
  }

  /** Whether this entry was invalidated, and the sweep has not removed it yet. */
  isDead(entry: Judged): boolean {
    return this.unswept.has(entry);
  }

  /** See `Unswept.mark`. */
  mark(dependency: Dependency, clock: number, order: number): boolean {
    const isMarked = this.unswept.mark(dependency, clock, order);
    this.judgeClean();
    return isMarked;
  }

  /** From now on every entry up to this order is dead. */
  markAll(order: number): void {
    this.unswept.forget(order);
    this.judgeClean();
  }

  /** A sweep that began after the last mark of this dependency, or of all, has removed the dead ones. */
  swept(what: Dependency | 'all'): void {
    if (what === 'all') this.unswept.unmarkAll();
    else this.unswept.unmark(what);
    this.judgeClean();
  }

  /**
   * Whether a value that was valid at this position and has these dependencies may be kept, if its read began in
   * `generation`. The position's tip must be remembered, as processed or of an own invalidation: the clock alone does
   * not do, because two branches of a history can reach the same clock (`histories.pml`, mutation KEEP_ANY).
   */
  mayKeep(generation: number, { clock, tip }: Position, dependencies: readonly string[]): boolean {
    if (this.isSuspended || generation !== this.generation || clock < this.floor) return false;
    if (!this.tips.has(tip) && !this.ownTips.has(tip)) return false;
    return dependencies.every((d) => (this.lastInvalidated.get(d) ?? 0) <= clock);
  }

  /**
   * Follows an invalidation that the bus has reported. False: an earlier one was missed, and everything has been
   * forgotten.
   */
  follow({ clock, tip, previousTip, dependencies }: ChainedInvalidation): boolean {
    const isInChain = previousTip === this.position.tip;
    if (!isInChain || dependencies === '*') this.flush();
    if (dependencies !== '*') this.remember(dependencies, clock);
    this.moveTo({ clock, tip });
    if (this.promised?.tip === tip) this.renewTo(this.promised.until);
    return isInChain;
  }

  /** Records an invalidation of this process, carried out at this position, perhaps before the bus reports it. */
  rememberOwn(dependencies: readonly string[], { clock, tip }: Position): void {
    this.remember(dependencies, clock);
    if (this.tips.has(tip)) return;
    this.ownTips.add(tip);
    const [oldest] = this.ownTips;
    if (this.ownTips.size > TIPS_MAX && oldest !== undefined) this.ownTips.delete(oldest);
  }

  /** Records that an invalidation was carried out at this clock. */
  remember(dependencies: readonly string[], clock: number): void {
    for (const d of dependencies) {
      const last = this.lastInvalidated.get(d) ?? 0; // never lowered: an own invalidation may be ahead of the bus
      this.lastInvalidated.delete(d);
      this.lastInvalidated.set(d, Math.max(last, clock));
    }
    for (const [oldest, at] of this.lastInvalidated) {
      if (this.lastInvalidated.size <= REMEMBERED_MAX) break;
      this.lastInvalidated.delete(oldest);
      this.floor = Math.max(this.floor, at);
    }
  }

  /**
   * The store accepted the position that this process had reported. `until` is the end of the lease, counted from the
   * request; `now` is where the store stood; `askedIn` is the generation of the request. Returns false if the process
   * has not even caught up with the position of an earlier answer: it then starts afresh from `now`.
   */
  confirmed(now: Position, until: number, askedIn: number): boolean {
    const isCaughtUp = askedIn === this.generation && this.tips.has(now.tip);
    if (isCaughtUp) {
      this.renewTo(until);
      return true;
    }
    if (this.promised) {
      this.adopt(now, until);
      return false;
    }
    this.promised = { tip: now.tip, until };
    return true;
  }

  /** Starts afresh: forgets every entry, and follows the bus from this position on. */
  adopt(position: Position, until: number): void {
    this.flush();
    this.moveTo(position);
    this.renewTo(until);
  }

  /** Forgets every entry, and the invalidations processed so far. */
  flush(): void {
    this.generation++;
    this.promised = undefined;
    // A read that begins from now on finds the store at or after every invalidation processed so far.
    this.lastInvalidated.clear();
    this.floor = 0;
    this.keptClock = -1;
    this.tips.clear();
    this.ownTips.clear();
    this.forgetEntries();
  }

  /**
   * Records that the store's time was `serverMs` at some instant after `sentAt`. The difference is an upper bound of
   * how far the store's clock is ahead of this one.
   */
  learnTime(serverMs: number, sentAt: number): void {
    this.serverAhead = serverMs - sentAt;
  }

  /** Whether an entry that ends at this store time may have ended. */
  hasEnded(expiresAt: number, now: number): boolean {
    return now + this.serverAhead >= expiresAt;
  }

  /** Lower bound of the milliseconds until this store time. */
  remainingMs(expiresAt: number, now: number): number {
    return Math.max(0, expiresAt - now - this.serverAhead);
  }

  /** From now on nothing is kept or served until `resume`; the process still follows the bus and asks for leases. */
  suspend(): void {
    this.isSuspended = true;
    this.serveUntil(-Infinity);
    this.flush();
  }

  /** Ends a suspension: the next lease counts again, for values read from now on. */
  resume(): void {
    this.isSuspended = false;
    this.flush();
  }

  /** From now on nothing is served. */
  close(): void {
    this.serveUntil(-Infinity);
    this.flush();
  }

  private moveTo(position: Position): void {
    this.position = position;
    this.ownTips.delete(position.tip);
    this.tips.add(position.tip);
    const [oldest] = this.tips;
    if (this.tips.size > TIPS_MAX && oldest !== undefined) this.tips.delete(oldest);
  }

  private renewTo(until: number): void {
    this.promised = undefined;
    if (this.isSuspended) return;
    this.serveUntil(Math.max(this.validUntil, until));
  }

  private serveUntil(instant: number): void {
    this.validUntil = instant;
    this.judgeClean();
  }

  private judgeClean(): void {
    this.cleanUntil = this.unswept.isEmpty ? this.validUntil : -Infinity;
  }
}
