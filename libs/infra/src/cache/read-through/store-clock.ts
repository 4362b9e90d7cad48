/**
 * What the store has told is relied on for so long: within it two clocks drift apart by some milliseconds, and a clock that
 * is put right is noticed after it.
 */
const KNOWN_MS = 60_000;
/** The store tells whole milliseconds, cut off. */
const CUT_OFF_MS = 1;

/**
 * The store's time in milliseconds, as far as it can be known here: learned from the start points that the store hands out.
 * The store told its time after the request had been sent, so what it told, and what has passed since the sending, is the
 * most that it can be by now, however late the reply came.
 */
export class StoreClock {
  private ahead: number | undefined;
  private learnedAt = -Infinity;

  /** Whether the store has told its time yet. */
  get isKnown(): boolean {
    return this.ahead !== undefined;
  }

  /** The reply to a request that was sent at `sentAt`, by `performance.now()`, said that it was `at` there. */
  learn(at: number, sentAt: number): void {
    this.ahead = at + CUT_OFF_MS - sentAt;
    this.learnedAt = sentAt;
  }

  /** An estimate, for what need not be exact; until the store has told its time, this process' own stands in. */
  now(): number {
    return this.ahead === undefined ? Date.now() : performance.now() + this.ahead;
  }

  /** The store's time is not beyond this; Infinity where that is not known. It makes ages look longer, never shorter. */
  latest(): number {
    const now = performance.now();
    return this.ahead === undefined || now - this.learnedAt > KNOWN_MS ? Infinity : now + this.ahead;
  }
}
