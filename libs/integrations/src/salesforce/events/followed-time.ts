/**
 * Up to when everything that Salesforce had told of a topic has been applied, by a clock that never goes back. While the
 * topic is live and nothing waits, that is now. After a new subscription it stands still until what was missed has come:
 * Salesforce does not say when it has sent the last stored event, so a keep-alive says it, or a time of quiet.
 */
export class FollowedTime {
  private until: number | undefined;
  private seenAt = -Infinity;
  private isLive = false;
  /** Until then more of what was missed may come. */
  private catchingUpUntil = Infinity;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** The topic is live, and whatever an event before now could concern was dropped. */
  begun(): void {
    this.isLive = true;
    this.catchingUpUntil = -Infinity;
    this.until = this.clock();
    this.seenAt = this.until;
  }

  /** The topic is live again. Within `catchUpMs` what was missed begins to come. */
  resumed(catchUpMs: number): void {
    this.isLive = true;
    this.catchingUpUntil = this.clock() + catchUpMs;
    this.seenAt = this.clock();
  }

  /** A sign of life of the connection. */
  seen(): void {
    this.seenAt = this.clock();
  }

  /** Salesforce says that nothing else had happened. */
  hasAll(): void {
    this.catchingUpUntil = Math.min(this.catchingUpUntil, this.clock());
  }

  /**
   * Nothing comes any more. `isSilent`: perhaps since the last sign of life, because nobody said so.
   * @param oldestWaiting when the oldest event that is not applied arrived
   */
  lost(oldestWaiting: number | undefined, isSilent: boolean): void {
    this.note(oldestWaiting);
    if (isSilent && this.until !== undefined) this.until = Math.min(this.until, this.seenAt);
    this.isLive = false;
  }

  /** Milliseconds since everything that had been told was applied; undefined: it never was. */
  behindMs(oldestWaiting: number | undefined): number | undefined {
    this.note(oldestWaiting);
    return this.until === undefined ? undefined : Math.max(0, Math.ceil(this.clock() - this.until));
  }

  /** Call it when something was applied, too: a busy topic is never quiet when it is asked about. */
  note(oldestWaiting: number | undefined): void {
    const now = this.clock();
    if (!this.isLive) return;
    if (this.catchingUpUntil !== -Infinity) {
      // What comes late belongs to what was missed: only quiet ends the catching up.
      if (oldestWaiting !== undefined || now < this.catchingUpUntil) return;
      this.catchingUpUntil = -Infinity;
    }
    this.until = oldestWaiting ?? now;
  }
}
