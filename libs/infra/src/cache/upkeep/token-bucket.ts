/**
 * Gives `perSecond` tokens a second on average. Unused ones are saved up to one second's worth, or one token if that is
 * more.
 */
export class TokenBucket {
  private tokens: number;
  private filledAt = performance.now();

  constructor(private perSecond: number) {
    this.tokens = this.capacity;
  }

  /** Lowers the rate to `perSecond`; a lower rate stays. */
  limitTo(perSecond: number): void {
    this.fill();
    this.perSecond = Math.min(this.perSecond, perSecond);
    this.tokens = Math.min(this.tokens, this.capacity);
  }

  /** Takes a token; false if there is none. */
  take(): boolean {
    this.fill();
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Gives back a token that was not needed. */
  giveBack(): void {
    this.tokens = Math.min(this.capacity, this.tokens + 1);
  }

  /** Milliseconds until there is a token. */
  get waitMs(): number {
    this.fill();
    return this.tokens >= 1 ? 0 : ((1 - this.tokens) / this.perSecond) * 1000;
  }

  private get capacity(): number {
    return Math.max(1, this.perSecond);
  }

  private fill(): void {
    const now = performance.now();
    this.tokens = Math.min(this.capacity, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
  }
}
