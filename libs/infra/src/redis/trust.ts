/**
 * Whether what the primary of one place says may be believed. Looked at before each command that a caller waits for, and again
 * at its reply, so it is a comparison of numbers, and of two references: the client may turn to another server at any moment.
 */
export class Trust {
  /** By `performance.now()`. Set by whoever vouches, and so is `server`. */
  until = -Infinity;
  /** Whom the trust is for, as `at` names it. */
  server: unknown;

  constructor(
    private readonly whyNot: () => string,
    private readonly receiver?: () => unknown,
  ) {}

  /** To whom the client sends now what belongs to this place. What was true of one is worth nothing for another. */
  get at(): unknown {
    return this.receiver?.();
  }

  /** Call it after the read has begun, never before. */
  holds(): boolean {
    if (this.until === Infinity) return true; // no clock is read where nothing can replace the server
    return performance.now() < this.until && this.at === this.server;
  }

  /** Likewise, for what was asked of `asked`: trust in whoever is there now does not make its answer true. */
  holdsFor(asked: unknown): boolean {
    return this.at === asked && this.holds();
  }

  /** Why it does not hold. */
  get reason(): string {
    return this.whyNot();
  }
}

/** Of a server that nothing can replace, and of nobody who asks. */
export const FULL_TRUST = new Trust(() => 'this server is always trusted');
FULL_TRUST.until = Infinity;
