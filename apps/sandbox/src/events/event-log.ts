import type { OrgClock } from '../org/clock.js';
import type { OrgEvent, UnpublishedEvent } from './org-event.js';

/** Events are kept 72 hours (Pub/Sub API guide, "Event Message Durability"). */
export const RETENTION_MS = 72 * 60 * 60 * 1000;
/** Maximum number of events and marks kept; then the oldest are dropped, as if they had expired. */
export const EVENTS_MAX = 100_000;
/** How long `mark` returns the same position while no event is published; then it takes a new one. */
const MARK_LIFE_MS = 60 * 60 * 1000;

/** A place in the log: an event, or a mark, which is a position without an event that `mark` has given out. */
interface Place {
  readonly replayId: number;
  readonly publishedAt: number;
  readonly event: OrgEvent | undefined;
}

/**
 * The org's one log of events, which Salesforce calls the event bus. Replay ids increase by uneven steps, and events
 * expire after 72 hours. Each run starts its ids at the current time in ms, so ids of an earlier run are invalid in
 * this one, unless the earlier run has given out more than 200 a second on average.
 */
export class EventLog {
  private places: Place[] = [];
  /**
   * Places before this index are gone. The array is cut only now and then, so that a full log is not copied for each
   * event.
   */
  private first = 0;
  private lastReplayId: number;
  /** How many ids were given out; the steps between ids depend on it alone, whatever the first id is. */
  private given = 0;
  private readonly listeners = new Set<(event: OrgEvent) => void>();

  constructor(
    private readonly clock: OrgClock,
    private readonly eventsMax = EVENTS_MAX,
  ) {
    this.lastReplayId = Math.floor(clock.now() / 1000) * 1000;
  }

  publish(unpublished: UnpublishedEvent): OrgEvent {
    const replayId = this.nextReplayId();
    const event: OrgEvent = { ...unpublished, replayId, publishedAt: this.clock.now() };
    this.places.push({ replayId, publishedAt: event.publishedAt, event });
    this.prune();
    for (const listener of this.listeners) listener(event);
    return event;
  }

  /** Calls back after every publication, until the returned function is called. */
  onPublished(listener: (event: OrgEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The replay id after which a subscriber to new events starts. */
  get tip(): number {
    return this.lastReplayId;
  }

  /**
   * A position after everything published so far, from which a subscriber can resume although no event has it.
   * Salesforce shares the bus with other tenants, so positions move on without this org's events (Pub/Sub API guide,
   * keep-alives).
   */
  mark(): number {
    const last = this.places.at(-1);
    const now = this.clock.now();
    if (last !== undefined && last.event === undefined && now - last.publishedAt < MARK_LIFE_MS) return last.replayId;
    const replayId = this.nextReplayId();
    this.places.push({ replayId, publishedAt: now, event: undefined });
    this.prune();
    return replayId;
  }

  /** Moves the stream to another instance: nothing is kept, and new replay ids are unrelated to the old ones. */
  reset(): void {
    this.places = [];
    this.first = 0;
    this.lastReplayId = Math.floor(this.lastReplayId / 2);
  }

  /** Whether a subscriber can resume after this replay id: it was given out, and its place is still kept. */
  has(replayId: number): boolean {
    this.prune();
    return this.places[this.indexAfter(replayId - 1)]?.replayId === replayId;
  }

  /** Up to `max` kept events after this position, in order. */
  after(replayId: number, max: number): OrgEvent[] {
    this.prune();
    const events: OrgEvent[] = [];
    for (let i = this.indexAfter(replayId); i < this.places.length && events.length < max; i++) {
      const { event } = this.places[i] as Place;
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  private nextReplayId(): number {
    this.lastReplayId += 1 + ((this.given * 7 + 3) % 9);
    this.given += 1;
    return this.lastReplayId;
  }

  private prune(): void {
    const expiredAt = this.clock.now() - RETENTION_MS;
    this.first = Math.max(this.first, this.places.length - this.eventsMax);
    while (this.first < this.places.length && (this.places[this.first] as Place).publishedAt <= expiredAt) this.first++;
    if (this.first > this.places.length / 2) {
      this.places = this.places.slice(this.first);
      this.first = 0;
    }
  }

  /** The index of the first place after this replay id, by binary search, as replay ids only increase. */
  private indexAfter(replayId: number): number {
    let low = this.first;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.places[middle] as Place).replayId <= replayId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
