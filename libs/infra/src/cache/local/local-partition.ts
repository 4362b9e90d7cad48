import type { Dependency } from '../dependencies.js';

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
  private promised: { readonly clock: number; readonly until: number } | undefined;
  /** dependency → clock of its last invalidation that was processed here. */
  private readonly lastInvalidated = new Map<string, number>();
  private floor = 0;

  constructor(private readonly forgetEntries: () => void) {}

  /** The last position that was processed without a gap; the tip is '' before the first one. */
  get processed(): Position {
    return this.position;
  }

  /** Whether entries may be served at this instant. Read the clock after the read has begun, never before. */
  isLive(now: number): boolean {
    return now < this.validUntil;
  }

  /** Whether a value that was valid at `clock` and has these dependencies may be kept, if its read began in `generation`. */
  mayKeep(generation: number, clock: number, dependencies: readonly string[]): boolean {
    if (generation !== this.generation || clock < this.floor) return false;
    return dependencies.every((d) => (this.lastInvalidated.get(d) ?? 0) <= clock);
  }

  /** The bus has told an invalidation. Returns false if one before it was missed: then everything has been forgotten. */
  follow({ clock, tip, previousTip, dependencies }: ChainedInvalidation): boolean {
    const isInChain = previousTip === this.position.tip;
    if (!isInChain || dependencies === '*') this.flush();
    if (dependencies !== '*') this.remember(dependencies, clock);
    this.position = { clock, tip };
    if (isInChain && this.promised && clock >= this.promised.clock) this.renewTo(this.promised.until);
    return isInChain;
  }

  /** An invalidation of this process was carried out at this clock, perhaps before the bus tells of it. */
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
    const isCaughtUp = askedIn === this.generation && this.position.clock >= now.clock;
    if (isCaughtUp) {
      this.renewTo(until);
      return true;
    }
    if (this.promised) {
      this.adopt(now, until);
      return false;
    }
    this.promised = { clock: now.clock, until };
    return true;
  }

  /** Starts afresh: nothing is kept, and everything from this position on will be seen. */
  adopt(position: Position, until: number): void {
    this.flush();
    this.position = position;
    this.renewTo(until);
  }

  /** Forgets every entry. */
  flush(): void {
    this.generation++;
    this.promised = undefined;
    this.forgetEntries();
  }

  /** From here on nothing is served. */
  close(): void {
    this.validUntil = -Infinity;
    this.flush();
  }

  private renewTo(until: number): void {
    this.promised = undefined;
    this.validUntil = Math.max(this.validUntil, until);
  }
}
