import type { EventLog } from './event-log.js';
import type { UnpublishedEvent } from './org-event.js';

/** The way from the commit to the bus: at once, or after a delay that a test has set. The order is kept whatever the delay. */
export class EventDelivery {
  private readonly waiting: { readonly event: UnpublishedEvent; readonly dueAt: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private delay = 0;

  constructor(private readonly log: EventLog) {}

  get delayMs(): number {
    return this.delay;
  }

  /** How long every event takes from now on. Those under way keep their time. */
  set delayMs(ms: number) {
    this.delay = ms;
  }

  /** Hands the event to the log; `undefined` if it is only on its way. */
  publish(event: UnpublishedEvent): number | undefined {
    if (this.delay === 0 && this.waiting.length === 0) return this.log.publish(event).replayId;
    this.waiting.push({ event, dueAt: performance.now() + this.delay });
    this.schedule();
    return undefined;
  }

  /** Ends the delay; what is under way arrives now. */
  catchUp(): void {
    this.delay = 0;
    for (const { event } of this.waiting.splice(0)) this.log.publish(event);
  }

  /** What is under way is lost. */
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

  /** Up to the first that is not due yet: what is due behind it waits, so that nothing overtakes. */
  private handOver(): void {
    this.timer = undefined;
    const now = performance.now();
    let due = 0;
    while (due < this.waiting.length && (this.waiting[due]?.dueAt ?? Infinity) <= now) due++;
    for (const { event } of this.waiting.splice(0, due)) this.log.publish(event);
    this.schedule();
  }
}
