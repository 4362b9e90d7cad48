/**
 * Whether what the primary of one place says may be believed. Looked at before each command that a caller waits for, and again
 * at its reply, so it is a comparison of numbers; of a Cluster, whose client may turn to another node at any moment, also of
 * two names.
 */
export class Trust {
  /** By `performance.now()`. Set by whoever vouches, and so is `server`. */
  until = -Infinity;
  /** Of a Cluster: whom the trust is for, as its client names it. */
  server: string | undefined;

  constructor(
    private readonly whyNot: () => string,
    /** Of a Cluster: to whom the client sends what belongs to this place. */
    private readonly receiver?: () => string | undefined,
  ) {}

  /** Call it after the read has begun, never before. */
  holds(): boolean {
    if (this.until === Infinity) return true; // no clock is read where nothing can replace the server
    return performance.now() < this.until && (this.receiver === undefined || this.receiver() === this.server);
  }

  /** Why it does not hold. */
  get reason(): string {
    return this.whyNot();
  }
}

/** Of a server that nothing can replace, and of nobody who asks. */
export const FULL_TRUST = new Trust(() => 'this server is always trusted');
FULL_TRUST.until = Infinity;
