/**
 * An estimate of the store's time, in milliseconds, for what need not be exact: whether an entry is near its end. Learned
 * from the start points that the store hands out; until the first one this process' own time stands in. No promise of
 * freshness hangs on it.
 */
export class StoreClock {
  private ahead: number | undefined;

  /** Whether the store has told its time yet. */
  get isKnown(): boolean {
    return this.ahead !== undefined;
  }

  /** A reply that came just now said that it was `at` there. */
  learn(at: number): void {
    this.ahead = at - performance.now();
  }

  now(): number {
    return this.ahead === undefined ? Date.now() : performance.now() + this.ahead;
  }
}
