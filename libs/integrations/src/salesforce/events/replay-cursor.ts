import type { SourceEvent } from './source-event.js';

/**
 * Tells which position may be committed after which events of a topic. Where events are enriched, a merged one comes as one
 * message for each record, all with one replay id (Change Data Capture Guide, "Enriched Change Events"). There the id of
 * the newest event is no position yet: whether Salesforce would send the rest of its group after it is not known. It becomes
 * one when an event with another id comes, or a keep-alive says that there was nothing more.
 */
export class ReplayCursor {
  private newest: string | undefined;

  constructor(private readonly isShared: boolean) {}

  /** The position once these events are applied, which follow those of the call before; undefined: none is known. */
  after(events: readonly SourceEvent[]): string | undefined {
    let position: string | undefined;
    for (const { replayId } of events) {
      if (replayId === undefined || replayId === this.newest) continue;
      position = this.isShared ? (this.newest ?? position) : replayId;
      this.newest = replayId;
    }
    return position;
  }

  /** Nothing happened up to this position: what came before is complete. */
  keptAlive(position: string): void {
    this.newest = position;
  }

  /** A new subscription begins: what comes next may have come before. */
  restart(): void {
    this.newest = undefined;
  }
}
