import type { Dependency } from '../dependencies.js';

/** Tips of processed invalidations that are remembered, to tell whether the store's position has been reached. */
const TIPS_MAX = 1000;
/** Dependencies whose last invalidation is remembered one by one; older ones share the floor. */
const REMEMBERED_MAX = 10_000;

/** A point in a partition's history of invalidations. */
export interface Position {
  readonly clock: number;
  readonly tip: string;
}

/** One invalidation as the bus tells it; `previousTip` is the position that it follows. */
export interface ChainedInvalidation extends Position {
  readonly previousTip: string;
  readonly dependencies: readonly Dependency[] | '*';
}

/**
 * What this process knows of one partition's invalidations, and until when it may rely on knowing all of them
 * (HITS-AND-L1 §2.2; model `strict.pml`). It holds no entries; it says which may be kept and served.
 */
export class LocalPartition {
  /** Counts flushes: a read that began before one must not leave its value behind. */
  generation = 0;
  private position: Position = { clock: -1, tip: '' };
  private validUntil = -Infinity;
  /** A lease that counts only once the bus has brought this process up to its position. */
  private promised: { readonly tip: string; readonly until: number } | undefined;
  /** Tips that were processed since the last flush. */
  private readonly tips = new Set<string>();
  /** Tips of this process' own invalidations that the bus has not told yet: in order, it will tell them before anything later. */
  private readonly ownTips = new Set<string>();
  private serverAhead = Infinity;
  /** dependency → clock of its last invalidation that was processed here. */
  private readonly lastInvalidated = new Map<string, number>();
  private floor = 0;
  private isSuspended = false;

  constructor(private readonly forgetEntries: () => void) {}

  /** The last position that was processed without a gap; the tip is '' before the first one. */
  get processed(): Position {
    return this.position;
  }

  /** Whether entries may be served at this instant. Read the clock after the read has begun, never before. */
  isLive(now: number): boolean {
    return now < this.validUntil;
  }

  /**
   * Whether a value that was valid at this position and has these dependencies may be kept, if its read began in `generation`. Not
   * if it was ahead of the bus: two branches of a history can reach the same clock (`histories.pml`, mutation KEEP_ANY).
   */
  mayKeep(generation: number, { clock, tip }: Position, dependencies: readonly string[]): boolean {
    if (this.isSuspended || generation !== this.generation || clock < this.floor) return false;
    if (!this.tips.has(tip) && !this.ownTips.has(tip)) return false;
    return dependencies.every((d) => (this.lastInvalidated.get(d) ?? 0) <= clock);
  }

  /** The bus has told an invalidation. Returns false if one before it was missed: then everything has been forgotten. */
  follow({ clock, tip, previousTip, dependencies }: ChainedInvalidation): boolean {
    const isInChain = previousTip === this.position.tip;
    if (!isInChain || dependencies === '*') this.flush();
    if (dependencies !== '*') this.remember(dependencies, clock);
    this.moveTo({ clock, tip });
    if (this.promised?.tip === tip) this.renewTo(this.promised.until);
    return isInChain;
  }

  /** An invalidation of this process was carried out at this position, perhaps before the bus tells of it. */
  rememberOwn(dependencies: readonly string[], { clock, tip }: Position): void {
    this.remember(dependencies, clock);
    if (this.tips.has(tip)) return;
    this.ownTips.add(tip);
    const [oldest] = this.ownTips;
    if (this.ownTips.size > TIPS_MAX && oldest !== undefined) this.ownTips.delete(oldest);
  }

  /** An invalidation was carried out at this clock. */
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
   * The store accepted the position that this process reported when it asked at `sentAt`-based `until`; `now` is where the
   * store stood. Returns false if the process has been behind for a whole beat: it starts afresh from there.
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

  /** Starts afresh: nothing is kept, and everything from this position on will be seen. */
  adopt(position: Position, until: number): void {
    this.flush();
    this.moveTo(position);
    this.renewTo(until);
  }

  /** Forgets every entry. */
  flush(): void {
    this.generation++;
    this.promised = undefined;
    // A read that begins from here on finds the store at or after everything that was processed.
    this.lastInvalidated.clear();
    this.floor = 0;
    this.tips.clear();
    this.ownTips.clear();
    this.forgetEntries();
  }

  /** The store's time was `serverMs` some time after `sentAt`: so it is not further ahead of our clock than this. */
  learnTime(serverMs: number, sentAt: number): void {
    this.serverAhead = serverMs - sentAt;
  }

  /** Whether an entry that ends at this time of the store may have ended. 0: it has no end. */
  hasEnded(expiresAt: number, now: number): boolean {
    return expiresAt > 0 && now + this.serverAhead >= expiresAt;
  }

  /** At least so long it is until this time of the store; undefined for 0, which has no end. */
  remainingMs(expiresAt: number, now: number): number | undefined {
    return expiresAt > 0 ? Math.max(0, expiresAt - now - this.serverAhead) : undefined;
  }

  /** From here on nothing is kept or served until `resume`; the bus is followed, and leases are asked for. */
  suspend(): void {
    this.isSuspended = true;
    this.validUntil = -Infinity;
    this.flush();
  }

  /** Ends a suspension: the next lease counts again, for what is read from now on. */
  resume(): void {
    this.isSuspended = false;
    this.flush();
  }

  /** From here on nothing is served. */
  close(): void {
    this.validUntil = -Infinity;
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
    this.validUntil = Math.max(this.validUntil, until);
  }
}
