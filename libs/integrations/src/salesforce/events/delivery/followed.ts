import type { SourceEvent } from '../source-event.js';

/**
 * - `lost`: nothing arrives, or earlier changes are unknown and the gap is not handled yet
 * - `catching-up`: subscribed after a position; more missed events may come
 * - `followed`: new events arrive, and all earlier ones have arrived
 */
type Standing = 'lost' | 'catching-up' | 'followed';

/**
 * By a monotonic clock, the time up to which everything that Salesforce sent for a topic is applied. While the topic is
 * followed, this time is now, or the arrival of the oldest waiting event; otherwise it stands still.
 *
 * Salesforce does not mark the last missed event. Catching up ends when a keep-alive with a position, or an event that
 * happened after the subscription, is applied (`caughtUp`). It also ends by quiet: nothing came for `catchUpMs`, and
 * everything that came is applied. After a silent loss, quiet proves nothing until something has come.
 */
export class FollowedTime {
  private until: number | undefined;
  private standing: Standing = 'lost';
  private seenAt = -Infinity;
  /** While catching up: when the subscription began, or the newest event came. */
  private quietSince = 0;
  private catchUpMs = 0;
  /** The topic was lost in silence, and nothing has come since. */
  private isMute = false;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** The topic is live, and all data that an earlier event could concern was dropped. */
  begun(): void {
    this.standing = 'followed';
    this.isMute = false;
    this.until = this.clock();
  }

  /** The topic is live again from its saved position: missed events start to arrive within `catchUpMs`. */
  resumed(catchUpMs: number): void {
    this.standing = 'catching-up';
    this.quietSince = this.clock();
    this.catchUpMs = catchUpMs;
  }

  /** The topic is live, but earlier changes are unknown: it is not followed before `begun`. */
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

  /** Salesforce says on this subscription that it has nothing to send. */
  keptAlive(): void {
    this.isMute = false;
  }

  /** An event or position was applied that Salesforce can only have sent after all missed events. */
  caughtUp(): void {
    if (this.standing === 'catching-up') this.standing = 'followed';
  }

  /**
   * Nothing arrives any more, at the latest since `aliveAt`, by default the last sign of life.
   * @param oldestWaiting when the oldest unapplied event arrived
   * @param isSilent the stream did not report its end: nothing came for too long
   */
  lost(oldestWaiting: number | undefined, isSilent: boolean, aliveAt = this.seenAt): void {
    this.note(oldestWaiting);
    if (this.standing === 'followed') this.until = Math.min(this.until ?? Infinity, aliveAt);
    if (isSilent) this.isMute = true;
    this.standing = 'lost';
  }

  /** Milliseconds since everything that was sent was applied; undefined if it never was. */
  behindMs(oldestWaiting: number | undefined): number | undefined {
    this.note(oldestWaiting);
    return this.until === undefined ? undefined : Math.max(0, Math.ceil(this.clock() - this.until));
  }

  /**
   * Brings the time up to date. It must also be called whenever a batch has been applied: a busy topic has no waiting
   * event for a moment only, and `behindMs` may never be asked at such a moment.
   */
  note(oldestWaiting: number | undefined): void {
    const now = this.clock();
    const isQuiet = oldestWaiting === undefined && !this.isMute && now >= this.quietSince + this.catchUpMs;
    if (this.standing === 'catching-up' && isQuiet) this.standing = 'followed';
    if (this.standing === 'followed') this.until = oldestWaiting ?? now;
  }
}

/**
 * Decides which position may be committed after which events of a topic. Where events are enriched, a merged event
 * comes as one message per record, all with one replay id (Change Data Capture Guide, "Enriched Change Events"). There
 * the id of the newest event is not a position yet: Salesforce might not send the rest of its group after it. It
 * becomes a position when an event with another id comes, or a keep-alive confirms that the group is complete.
 */
export class ReplayCursor {
  private newest: string | undefined;

  constructor(private readonly isShared: boolean) {}

  /** The position once these events, which follow the previous call's, are applied; undefined if none is known. */
  after(events: readonly SourceEvent[]): string | undefined {
    let position: string | undefined;
    for (const { replayId } of events) {
      if (replayId === undefined || replayId === this.newest) continue;
      position = this.isShared ? (this.newest ?? position) : replayId;
      this.newest = replayId;
    }
    return position;
  }

  /** Nothing happened up to this position: earlier events are complete. */
  keptAlive(position: string): void {
    this.newest = position;
  }

  /** A new subscription begins: the next events may be repeats. */
  restart(): void {
    this.newest = undefined;
  }
}
