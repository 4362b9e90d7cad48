/**
 * Whether answers from the primary of one place may be believed. It is checked before each command that a caller waits
 * for, and again at the reply, so it only compares numbers and two references. The client may turn to another server at
 * any moment.
 */
export class Trust {
  /** By `performance.now()`. `PrimaryVouch` sets it, and `server`. */
  until = -Infinity;
  /** The server that the trust applies to, as `at` names it. */
  server: unknown;

  constructor(
    private readonly whyNot: () => string,
    private readonly receiver?: () => unknown,
  ) {}

  /** The server to which the client now sends this place's commands. Trust in one server says nothing about another. */
  get at(): unknown {
    return this.receiver?.();
  }

  /** Whether the trust holds now. Call it after the read has begun, never before. */
  holds(): boolean {
    if (this.until === Infinity) return true; // no clock is read where nothing can replace the server
    return performance.now() < this.until && this.at === this.server;
  }

  /** Like `holds`, for an answer of `asked`: trust in the server of now does not make another server's answer true. */
  holdsFor(asked: unknown): boolean {
    return this.at === asked && this.holds();
  }

  /** Why it does not hold. */
  get reason(): string {
    return this.whyNot();
  }
}

/** Unlimited trust, for a server that nothing can replace. */
export const FULL_TRUST = new Trust(() => 'this server is always trusted');
FULL_TRUST.until = Infinity;
