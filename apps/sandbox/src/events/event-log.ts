import type { OrgClock } from '../org/clock.js';
import type { OrgEvent, UnpublishedEvent } from './org-event.js';

/** Events are kept 72 hours (Pub/Sub API guide, "Event Message Durability"). */
export const RETENTION_MS = 72 * 60 * 60 * 1000;
/** The bound of the log in memory; beyond it the oldest events go, as if they had expired. */
export const EVENTS_MAX = 100_000;
/** How long a position without an event is handed out again before the bus has moved on. */
const MARK_LIFE_MS = 60 * 60 * 1000;

/** A place on the bus: an event, or only a position that subscribers were told they have reached. */
interface Place {
  readonly replayId: number;
  readonly publishedAt: number;
  readonly event: OrgEvent | undefined;
}

/**
 * The org's one event bus: replay ids increase by uneven steps, and events expire after 72 hours. Ids of an earlier run
 * of the sandbox are never valid in this one, because each run starts above any id that an earlier one can have given.
 */
export class EventLog {
  private places: Place[] = [];
  /** Places before this index are gone; the array is cut only now and then, so that a full log costs no copy an event. */
  private first = 0;
  private lastReplayId: number;
  /** How many ids were given out: the steps between them follow from it, whatever the first id is. */
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

  /** The replay id that a subscriber of new events only starts after. */
  get tip(): number {
    return this.lastReplayId;
  }

  /**
   * A position after everything published so far, from which a subscriber can resume although no event has it: the bus is
   * shared with other tenants, so it moves on without events of ours (Pub/Sub API guide, keep-alives).
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

  /** The stream moves to another instance: nothing is kept, and the new replay ids have nothing to do with the old ones. */
  reset(): void {
    this.places = [];
    this.first = 0;
    this.lastReplayId = Math.floor(this.lastReplayId / 2);
  }

  /** Whether a subscriber can resume after this replay id: it was given to somebody, and its place is still kept. */
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

  /** The index of the first place after this replay id, by halving: replay ids only increase. */
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
