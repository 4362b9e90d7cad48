import type { EventLog } from './event-log.js';
import type { UnpublishedEvent } from './org-event.js';

/**
 * Carries events from the commit to the event log, at once or after a delay that a fault has set. Events keep their
 * order whatever the delay.
 */
export class EventDelivery {
  private readonly waiting: { readonly event: UnpublishedEvent; readonly dueAt: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private delay = 0;

  constructor(private readonly log: EventLog) {}

  get delayMs(): number {
    return this.delay;
  }

  /** The delay of every event from now on. Events under way keep theirs. */
  set delayMs(ms: number) {
    this.delay = ms;
  }

  /** Hands the event to the log and returns its replay id; undefined if the event is only under way. */
  publish(event: UnpublishedEvent): number | undefined {
    if (this.delay === 0 && this.waiting.length === 0) return this.log.publish(event).replayId;
    this.waiting.push({ event, dueAt: performance.now() + this.delay });
    this.schedule();
    return undefined;
  }

  /** Ends the delay; events under way arrive now. */
  catchUp(): void {
    this.delay = 0;
    for (const { event } of this.waiting.splice(0)) this.log.publish(event);
  }

  /** Discards events under way. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting.length = 0;
  }

  private schedule(): void {
    const [next] = this.waiting;
    if (next === undefined || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.handOver(), Math.max(0, next.dueAt - performance.now())).unref();
  }

  /** Publishes the events up to the first that is not due yet. Due events behind it wait, so that none overtakes. */
  private handOver(): void {
    this.timer = undefined;
    const now = performance.now();
    let due = 0;
    while (due < this.waiting.length && (this.waiting[due]?.dueAt ?? Infinity) <= now) due++;
    for (const { event } of this.waiting.splice(0, due)) this.log.publish(event);
    this.schedule();
  }
}
