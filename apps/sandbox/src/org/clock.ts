/**
 * The org's time: real time plus what `advance` has added. Record time stamps and event retention follow it; sessions
 * and held requests do not, so that 72 hours can pass without logging out every client.
 */
export class OrgClock {
  private offsetMs = 0;

  now(): number {
    return Date.now() + this.offsetMs;
  }

  /** Moves the time forward; it never goes back. */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`the clock can only go forward, not by ${ms} ms`);
    this.offsetMs += ms;
  }

  /** Now in whole seconds, as Salesforce stamps records (their milliseconds are always 000). */
  stamp(): string {
    return new Date(Math.floor(this.now() / 1000) * 1000).toISOString();
  }
}
