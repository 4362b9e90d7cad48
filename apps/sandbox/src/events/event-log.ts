import type { OrgClock } from '../org/clock.js';

/** One message of the event bus as it was published. */
export interface OrgEvent {
  readonly replayId: number;
  /** Milliseconds since the epoch, by the org's clock. */
  readonly publishedAt: number;
  /** `/data/OrderChangeEvent`, `/event/Account_Eligibility_Update__e`. */
  readonly channel: string;
  readonly schema: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An event before the log has given it its place. */
export type UnpublishedEvent = Pick<OrgEvent, 'channel' | 'schema' | 'payload'>;

/** Events are kept 72 hours (Pub/Sub API guide, "Event Message Durability"). */
export const RETENTION_MS = 72 * 60 * 60 * 1000;
/** The bound of the log in memory; beyond it the oldest events go, as if they had expired. */
export const EVENTS_MAX = 100_000;

/**
 * The org's one event bus: replay ids increase by uneven steps, and events expire after 72 hours. Ids of an earlier run
 * of the sandbox are never valid in this one, because each run starts above any id that an earlier one can have given.
 */
export class EventLog {
  private events: OrgEvent[] = [];
  private lastReplayId: number;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly clock: OrgClock) {
    this.lastReplayId = Math.floor(clock.now() / 1000) * 1000;
  }

  publish(event: UnpublishedEvent): OrgEvent {
    this.lastReplayId += 1 + ((this.lastReplayId * 7 + 3) % 9);
    const published = { ...event, replayId: this.lastReplayId, publishedAt: this.clock.now() };
    this.events.push(published);
    this.prune();
    for (const listener of this.listeners) listener();
    return published;
  }

  /** Calls back after every publication, until the returned function is called. */
  onPublished(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The replay id that a subscriber of new events only starts after. */
  get tip(): number {
    return this.lastReplayId;
  }

  /** Whether an event with this replay id is still kept: only then can a subscriber resume after it. */
  has(replayId: number): boolean {
    this.prune();
    return this.events[this.indexAfter(replayId - 1)]?.replayId === replayId;
  }

  /** Up to `max` kept events after this position, in order. */
  after(replayId: number, max: number): OrgEvent[] {
    this.prune();
    const from = this.indexAfter(replayId);
    return this.events.slice(from, from + max);
  }

  private prune(): void {
    const expiredAt = this.clock.now() - RETENTION_MS;
    const overflow = Math.max(0, this.events.length - EVENTS_MAX);
    let gone = overflow;
    while (gone < this.events.length && (this.events[gone] as OrgEvent).publishedAt <= expiredAt) gone++;
    if (gone > 0) this.events = this.events.slice(gone);
  }

  /** The index of the first event after this replay id, by halving: replay ids only increase. */
  private indexAfter(replayId: number): number {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.events[middle] as OrgEvent).replayId <= replayId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
