/**
 * - `lost`: nothing comes, or nobody has begun to deal with what came before
 * - `catching-up`: subscribed after a position, and more of what was missed may come
 * - `followed`: whatever happens comes, and everything before has come
 */
type Standing = 'lost' | 'catching-up' | 'followed';

/**
 * Up to when everything that Salesforce had told of a topic has been applied, by a clock that never goes back. While the
 * topic is followed and nothing waits, that is now; otherwise it stands still.
 *
 * Salesforce does not say when it has sent the last of what was missed. It follows from a keep-alive with a position, and
 * from an event that was committed after the subscription, once they are applied (`caughtUp`); and from quiet: nothing has
 * come for `catchUpMs`, and everything that came is applied. After a silence quiet proves nothing until something has come.
 */
export class FollowedTime {
  private until: number | undefined;
  private standing: Standing = 'lost';
  private seenAt = -Infinity;
  /** Of a subscription that is catching up: when it began, or the newest event came. */
  private quietSince = 0;
  private catchUpMs = 0;
  /** The topic was lost in silence, and nothing has come since. */
  private isMute = false;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** The topic is live, and whatever an event before now could concern was dropped. */
  begun(): void {
    this.standing = 'followed';
    this.isMute = false;
    this.until = this.clock();
  }

  /** The topic is live after its position: what was missed begins to come within `catchUpMs`. */
  resumed(catchUpMs: number): void {
    this.standing = 'catching-up';
    this.quietSince = this.clock();
    this.catchUpMs = catchUpMs;
  }

  /** The topic is live, and what came before is not known: nothing is followed before `begun`. */
  waits(): void {
    this.standing = 'lost';
  }

  /** A sign of life of the connection. */
  seen(): void {
    this.seenAt = this.clock();
  }

  /** An event has come. */
  arrived(): void {
    this.isMute = false;
    this.quietSince = this.clock();
  }

  /** Salesforce has nothing to tell, and says so on this subscription. */
  keptAlive(): void {
    this.isMute = false;
  }

  /** Something was applied that Salesforce can only have sent after everything that was missed. */
  caughtUp(): void {
    if (this.standing === 'catching-up') this.standing = 'followed';
  }

  /**
   * Nothing comes any more, at the latest since `aliveAt`, the last sign of life if nobody says another time.
   * @param oldestWaiting when the oldest event that is not applied arrived
   * @param isSilent nobody said that it ended: nothing had come for too long
   */
  lost(oldestWaiting: number | undefined, isSilent: boolean, aliveAt = this.seenAt): void {
    this.note(oldestWaiting);
    if (this.standing === 'followed') this.until = Math.min(this.until ?? Infinity, aliveAt);
    if (isSilent) this.isMute = true;
    this.standing = 'lost';
  }

  /** Milliseconds since everything that had been told was applied; undefined: it never was. */
  behindMs(oldestWaiting: number | undefined): number | undefined {
    this.note(oldestWaiting);
    return this.until === undefined ? undefined : Math.max(0, Math.ceil(this.clock() - this.until));
  }

  /** Call it when something was applied, too: between two events a busy topic has nothing that waits. */
  note(oldestWaiting: number | undefined): void {
    const now = this.clock();
    const isQuiet = oldestWaiting === undefined && !this.isMute && now >= this.quietSince + this.catchUpMs;
    if (this.standing === 'catching-up' && isQuiet) this.standing = 'followed';
    if (this.standing === 'followed') this.until = oldestWaiting ?? now;
  }
}
