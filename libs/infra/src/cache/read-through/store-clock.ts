/**
 * How long a learned offset between the two clocks is used as a bound; then it counts as unknown until it is learned
 * again. In this time clocks drift apart by some milliseconds, and no correction of a clock goes unnoticed for longer.
 */
const KNOWN_MS = 60_000;
/** The store reports whole milliseconds, rounded down, so its time may be later by up to this. */
const CUT_OFF_MS = 1;

/**
 * The store's time in milliseconds, as far as this process can know it: learned from the store's start points. The
 * store read its clock after the request was sent. So its time is now at most the reported time plus the time since the
 * sending, however late the reply came.
 */
export class StoreClock {
  private ahead: number | undefined;
  private learnedAt = -Infinity;

  /** Whether the store has reported its time yet. */
  get isKnown(): boolean {
    return this.ahead !== undefined;
  }

  /** Records that the store reported the time `at` in reply to a request sent at `sentAt`, by `performance.now()`. */
  learn(at: number, sentAt: number): void {
    this.ahead = at + CUT_OFF_MS - sentAt;
    this.learnedAt = sentAt;
  }

  /** An estimate, for uses that need no exact time. Until the store has reported its time, the time of this process. */
  now(): number {
    return this.ahead === undefined ? Date.now() : performance.now() + this.ahead;
  }

  /** Upper bound of the store's time; Infinity if unknown. It makes ages look longer, never shorter. */
  latest(): number {
    const now = performance.now();
    return this.ahead === undefined || now - this.learnedAt > KNOWN_MS ? Infinity : now + this.ahead;
  }
}
