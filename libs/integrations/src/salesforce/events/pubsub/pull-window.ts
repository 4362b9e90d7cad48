/**
 * Requests that may be made beyond the queue's bound, one event each, to keep a stream open whose handler is stuck. When
 * they are used up (after an hour and a quarter, at 45 s each) the stream is let go.
 */
export const LIFELINES_MAX = 100;

/**
 * The flow control of one stream: how many events to ask for, so that neither more than `windowMax` are under way nor more
 * than `queueMax` under way and waiting together, and so that Salesforce is asked again before nothing is left.
 */
export class PullWindow {
  /** Asked for and not arrived, as we count. */
  private outstanding = 0;
  private lifelines = 0;

  constructor(
    private readonly windowMax: number,
    private readonly queueMax: number,
  ) {}

  /** How many to ask for now, with so many waiting for the handler; 0 while it is better to wait. Counts as asked. */
  ask(waiting: number): number {
    const room = Math.min(this.windowMax - this.outstanding, this.queueMax - waiting - this.outstanding);
    // By halves of the window: a request for each event would double the messages.
    if (room < 1 || (this.outstanding > 0 && room < this.windowMax / 2)) return 0;
    this.outstanding += room;
    this.lifelines = 0;
    return room;
  }

  /** What to ask for when nothing was for so long that the stream would be closed; 0 when no more may be. */
  askForLife(waiting: number): number {
    // Salesforce had nothing left to deliver, whatever we have counted.
    this.outstanding = 0;
    const room = this.ask(waiting);
    if (room > 0) return room;
    if (this.lifelines >= LIFELINES_MAX) return 0;
    this.lifelines += 1;
    this.outstanding += 1;
    return 1;
  }

  /** So many events have arrived; Salesforce says how many it still owes, which an empty answer tells exactly. */
  arrived(count: number, pending: number): void {
    this.outstanding = count === 0 ? Math.min(this.outstanding, pending) : Math.max(0, this.outstanding - count);
  }
}
