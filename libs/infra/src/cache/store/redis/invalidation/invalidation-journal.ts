import { StoreUnavailableError } from '../../../cache.errors.js';
import { reportDefect } from '../../../../process/defect-report.js';
import type { Dependency } from '../../../dependencies.js';

/** Carries out the invalidations of a journal, and learns whether any are owed. */
export interface JournalOwner {
  /** Carries out these invalidations, at most `BATCH_MAX`, in the journal's partition; `'*'` drops everything. */
  carryOut(dependencies: readonly Dependency[] | '*'): Promise<void>;
  /** The journal is no longer empty: nothing that the store holds in its partition may be trusted. */
  onOwing(): void;
  /** The journal is empty again: everything owed has been carried out. */
  onSettled(): void;
}

/**
 * Maximum number of dependencies kept, about 2 MB of memory. Beyond it the names are discarded, and everything is
 * dropped instead.
 */
const DEPENDENCIES_MAX = 10_000;
/** Maximum number of dependencies carried out together, by one script. A failure repeats only its own batch. */
const BATCH_MAX = 500;
/** Delay between attempts while the store does not carry them out. */
const RETRY_MS = 250;

/**
 * Invalidations of this process that the store may not have carried out: it was away, or refused, or its answer was
 * lost. They are repeated until it has carried them out, and until then this process trusts nothing that the store
 * holds in their partition.
 *
 * The journal is no promise to the callers: their call was rejected, and the journal dies with the process.
 */
export class InvalidationJournal {
  /** Dependency → number of the last addition that named it: a dependency named again during a replay stays. */
  private readonly owed = new Map<Dependency, number>();
  private everythingAt: number | undefined;
  private additions = 0;
  private isReplaying = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** The last reported defect. */
  private reported: string | undefined;
  /** Why the last repetition failed. */
  private hindrance: string | undefined;

  constructor(private readonly owner: JournalOwner) {}

  /** Number of dependencies whose invalidation is owed; a lower bound once there were too many to keep. */
  get size(): number {
    return this.everythingAt === undefined ? this.owed.size : DEPENDENCIES_MAX;
  }

  /** Why nothing may be trusted; undefined if nothing is owed. */
  get reason(): string | undefined {
    const { size } = this;
    if (size === 0) return undefined;
    const why = this.hindrance === undefined ? '' : ` (the last attempt: ${this.hindrance})`;
    if (this.everythingAt !== undefined)
      return `more than ${size} invalidations were not acknowledged: all is dropped first${why}`;
    const count = `${size} ${size === 1 ? 'invalidation was' : 'invalidations were'}`;
    return `${count} not acknowledged: repeated before anything is read${why}`;
  }

  add(dependencies: readonly Dependency[]): void {
    const wasSettled = this.size === 0;
    const addition = ++this.additions;
    if (this.everythingAt === undefined) for (const d of dependencies) this.owed.set(d, addition);
    if (this.everythingAt !== undefined || this.owed.size > DEPENDENCIES_MAX) {
      this.owed.clear();
      this.everythingAt = addition;
    }
    if (!wasSettled || this.size === 0) return;
    this.owner.onOwing();
    this.hasten();
  }

  /** Starts the next attempt now, unless one is under way. */
  hasten(): void {
    if (this.isReplaying || this.isClosed || this.size === 0) return;
    clearTimeout(this.timer);
    void this.replay();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private async replay(): Promise<void> {
    this.isReplaying = true;
    try {
      while (this.size > 0 && !this.isClosed) await this.replayOnce();
      // In the same step as the last check of the size: a later addition starts a replay.
      this.isReplaying = false;
      this.reported = this.hindrance = undefined;
      if (this.size === 0) this.owner.onSettled();
    } catch (error) {
      this.isReplaying = false;
      this.hindrance = (error as Error).message;
      this.reportOnce(error);
      if (!this.isClosed) this.timer = setTimeout(() => this.hasten(), RETRY_MS).unref();
    }
  }

  /**
   * Attempts that meet a defect of ours repeat four times a second, so the defect is reported only if its text changes.
   */
  private reportOnce(error: unknown): void {
    if (error instanceof StoreUnavailableError) return;
    const text = String(error);
    if (text !== this.reported) reportDefect(error);
    this.reported = text;
  }

  private async replayOnce(): Promise<void> {
    const { everythingAt } = this;
    if (everythingAt !== undefined) {
      await this.owner.carryOut('*');
      if (this.everythingAt === everythingAt) this.everythingAt = undefined;
      return;
    }
    const batch = [...this.owed].slice(0, BATCH_MAX);
    await this.owner.carryOut(batch.map(([d]) => d));
    for (const [d, addition] of batch) if (this.owed.get(d) === addition) this.owed.delete(d);
  }
}
