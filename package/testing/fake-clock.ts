/**
 * A clock for the embedded store (`memoryClock`), whose time passes only as a test says. TTLs, times in which stale
 * values may be served, and the leases of builds and locks follow it. Waiting (`waitMs`, `fetchTimeoutMs`), ages
 * (`maxAgeSeconds`) and the work behind a hit (`refreshAhead`, `sliding`) follow the time of the process.
 */
export class FakeClock {
  private time: number;

  /** @param startMs the time at first, in milliseconds since 1970 */
  constructor(startMs = Date.now()) {
    this.time = startMs;
  }

  /** The time in milliseconds. It needs no receiver: `memoryClock: clock.now`. */
  readonly now = (): number => this.time;

  /** Lets time pass, in milliseconds. Throws a `RangeError` for less than 0: time does not go back. */
  advance(ms: number): void {
    if (!(ms >= 0) || !Number.isFinite(ms)) throw new RangeError(`a clock advances by 0 ms or more, not by ${ms}`);
    this.time += ms;
  }
}
