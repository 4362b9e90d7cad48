import type { SourceEvent } from '../source-event.js';

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
