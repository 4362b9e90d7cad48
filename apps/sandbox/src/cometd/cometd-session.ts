import type { Channel } from '../events/channel.js';
import type { EventLog } from '../events/event-log.js';
import type { OrgEvent } from '../events/org-event.js';
import type { BayeuxReply } from './bayeux.js';
import { cometdPayload } from './cometd-payload.js';

/**
 * Maximum number of events in the log that are examined for one answer, so that no answer is too large. The next answer
 * goes on after them.
 */
const EVENTS_PER_ANSWER_MAX = 1_000;

/**
 * The reason why a held connect ends. `timeout` is also the reason when another connect replaces it, when its client
 * has gone, and when a silence ends. `gone` means that the session or its token has ended, `left` that the client has
 * disconnected, `exceeded` that the day's deliveries are used up. `dropped` cuts the connection instead of answering.
 */
export type HeldEnd = 'events' | 'timeout' | 'gone' | 'left' | 'exceeded' | 'dropped';

/** A connect that is held open until `answer` ends it with these messages. */
export interface HeldConnect {
  answer(messages: readonly BayeuxReply[], reason: HeldEnd): void;
}

/** A position in the event log, and the channel whose later events are delivered. */
export interface Subscription {
  after: number;
  readonly channel: Channel;
}

/**
 * One client's session. It has no queue: every subscription is a position in the event log. So the log bounds the
 * backlog of a slow client, and such a client misses only the events that the log has dropped.
 */
export class CometdSession {
  readonly subscriptions = new Map<string, Subscription>();
  held: HeldConnect | undefined;
  isFirstConnect = true;
  /**
   * When the session ends, in ms by the real clock. Every message, and every end of a held connect, sets it to one
   * session timeout from then; when a connect is held, it becomes infinite.
   */
  expiresAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly clientId: string,
    readonly cookie: string,
    readonly token: string,
    private readonly log: EventLog,
  ) {}

  /**
   * Takes the due messages off the subscriptions, in the order of the log. An event gives messages for each
   * subscription whose channel carries it.
   */
  takeEvents(): BayeuxReply[] {
    if (this.subscriptions.size === 0) return [];
    const start = Math.min(...[...this.subscriptions.values()].map((place) => place.after));
    const events = this.log.after(start, EVENTS_PER_ANSWER_MAX);
    const messages: BayeuxReply[] = [];
    for (const event of events) {
      for (const subscription of this.subscriptions.values()) {
        if (event.replayId <= subscription.after) continue;
        subscription.after = event.replayId;
        messages.push(...messagesOf(event, subscription.channel));
      }
    }
    return messages;
  }

  /** Answers the held connect if messages are due; returns their number. */
  flush(): number {
    if (this.held === undefined) return 0;
    const messages = this.takeEvents();
    if (messages.length > 0) this.held.answer(messages, 'events');
    return messages.length;
  }
}

function messagesOf(event: OrgEvent, channel: Channel): BayeuxReply[] {
  return channel.messages(event).map(({ content }) => {
    // The payload of a corrupt event is empty: it lacks even the header, which every client needs.
    const payload = event.isCorrupt === true ? {} : cometdPayload(content, event.schema);
    const data = { schema: event.schema.id, payload, event: { replayId: event.replayId } };
    return { data, channel: channel.name };
  });
}
