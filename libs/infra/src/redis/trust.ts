/**
 * Whether answers from the primary of one place may be believed. It is checked before each command whose answer a
 * caller believes, and again at the reply, because the client may turn to another server at any moment. So it must cost
 * next to nothing: it compares numbers and two references.
 */
export class Trust {
  /** The end of the trust, by `performance.now()`. `PrimaryVouch` sets it, and `server`. */
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

  /** Whether the trust holds now. A read must ask this itself: trust from before it began says nothing about it. */
  holds(): boolean {
    if (this.until === Infinity) return true; // a server without witnesses: no clock is read
    return performance.now() < this.until && this.at === this.server;
  }

  /** Like `holds`, for an answer of the server `asked`: trust in another server, which serves now, does not count. */
  holdsFor(asked: unknown): boolean {
    return this.at === asked && this.holds();
  }

  /** Why it does not hold. */
  get reason(): string {
    return this.whyNot();
  }
}

/** Unlimited trust, for a single server: it has no witnesses, so nobody could say that it was replaced. */
export const FULL_TRUST = new Trust(() => 'this server is always trusted');
FULL_TRUST.until = Infinity;
