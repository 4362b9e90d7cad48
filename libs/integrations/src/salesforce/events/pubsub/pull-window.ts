/**
 * Maximum requests beyond the queue's bound, one event each, that keep the stream of a stuck handler open. When they
 * are used up (after 75 minutes, at 45 s each) the stream ends.
 */
export const LIFELINES_MAX = 100;

/**
 * Flow control of one stream: decides how many events to request, so that at most `windowMax` are under way, at most
 * `queueMax` are under way and waiting together, and the next request goes out before Salesforce has sent all.
 */
export class PullWindow {
  /** Requested and not arrived, by our count. */
  private outstanding = 0;
  private lifelines = 0;

  constructor(
    private readonly windowMax: number,
    private readonly queueMax: number,
  ) {}

  /** How many events to request now, with `waiting` ones in the queue; 0 to wait. Counts them as requested. */
  ask(waiting: number): number {
    const room = Math.min(this.windowMax - this.outstanding, this.queueMax - waiting - this.outstanding);
    // Request at least half a window: a request per event would double the messages.
    if (room < 1 || (this.outstanding > 0 && room < this.windowMax / 2)) return 0;
    this.outstanding += room;
    this.lifelines = 0;
    return room;
  }

  /** How many events to request to keep an idle stream open; 0 when the lifelines are used up. */
  askForLife(waiting: number): number {
    // Salesforce had nothing left to deliver, so our count is reset.
    this.outstanding = 0;
    const room = this.ask(waiting);
    if (room > 0) return room;
    if (this.lifelines >= LIFELINES_MAX) return 0;
    this.lifelines += 1;
    this.outstanding += 1;
    return 1;
  }

  /** `count` events arrived; `pending` is what Salesforce still owes, exact only in an answer without events. */
  arrived(count: number, pending: number): void {
    this.outstanding = count === 0 ? Math.min(this.outstanding, pending) : Math.max(0, this.outstanding - count);
  }
}
