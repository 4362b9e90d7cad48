import { StoreUnavailableError } from '../../cache.errors.js';
import { reportDefect } from '../../defect-report.js';
import type { Dependency } from '../../dependencies.js';

/** What the journal's owner does with it. */
export interface JournalOwner {
  /** Carries these invalidations, `BATCH_MAX` at most, out in every partition that they concern; `'*'` drops everything. */
  carryOut(dependencies: readonly Dependency[] | '*'): Promise<void>;
  /** The first entry has been made: from now on nothing may be trusted. */
  onOwing(): void;
  /** The last one has been carried out. */
  onSettled(): void;
}

/** About 2 MB of this process' memory. Beyond it the names are given up, and everything is dropped instead. */
const DEPENDENCIES_MAX = 10_000;
/** Dependencies that are carried out together: what a script takes. A failure costs no more than the batch. */
const BATCH_MAX = 500;
/** The pace of attempts while the store does not carry them out. */
const RETRY_MS = 250;

/**
 * Invalidations of this process that the store may not have carried out: it was away, or refused, or its answer was lost. They are
 * repeated until it has, and while there is one, this process trusts nothing that the store holds.
 *
 * It is not a promise to whoever invalidated: their call was rejected, and what stands here dies with the process.
 */
export class InvalidationJournal {
  /** Dependency → number of the addition that named it last: what was named again during a replay stays. */
  private readonly owed = new Map<Dependency, number>();
  private everythingAt: number | undefined;
  private additions = 0;
  private isReplaying = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** The defect that was reported last. */
  private reported: string | undefined;
  /** Why the last repetition failed. */
  private hindrance: string | undefined;

  constructor(private readonly owner: JournalOwner) {}

  /** Dependencies whose invalidation is owed; when they were too many to be kept, how many there were then at least. */
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

  /** There is reason to believe that the store can be reached: the next attempt does not wait for its time. */
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
      // In the same step as the last look at the size: whatever is added after it begins a replay.
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

  /** A defect of ours is repeated four times a second as well, and told when it shows another face than the last time. */
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
