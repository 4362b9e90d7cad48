import type { Channel } from '../events/channel.js';
import type { EventLog } from '../events/event-log.js';
import type { OrgEvent } from '../events/org-event.js';
import type { BayeuxReply } from './bayeux.js';
import { cometdPayload } from './cometd-payload.js';

/** Events looked at for one answer: the bound on the size of an answer, not on what is delivered. */
const EVENTS_PER_ANSWER_MAX = 1_000;

/**
 * Why a held connect is answered: `gone` is the end of the session, `left` the client's own disconnect, `exceeded` the end of
 * the allocation, and `dropped` cuts the connection instead.
 */
export type HeldEnd = 'events' | 'timeout' | 'gone' | 'left' | 'exceeded' | 'dropped';

/** A connect that is held open: the function ends it with this list of messages. */
export interface HeldConnect {
  answer(messages: readonly BayeuxReply[], reason: HeldEnd): void;
}

/** A place in the event log, and which of the events behind it are delivered. */
export interface Subscription {
  after: number;
  readonly channel: Channel;
}

/**
 * One client's session. It keeps no queue of its own: every subscription is a place in the event log, so what a slow
 * client has coming is bounded by the log, and events leave it only by expiring.
 */
export class CometdSession {
  readonly subscriptions = new Map<string, Subscription>();
  held: HeldConnect | undefined;
  isFirstConnect = true;
  /** When the session ends unless a connect is held or comes before. Milliseconds by the real clock. */
  expiresAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly clientId: string,
    readonly cookie: string,
    readonly token: string,
    private readonly log: EventLog,
  ) {}

  /** The messages that are due, taken off: each event once for each subscription that it belongs to, in the log's order. */
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

  /** Answers the held connect if something is due for it; returns how many events that was. */
  flush(): number {
    if (this.held === undefined) return 0;
    const messages = this.takeEvents();
    if (messages.length > 0) this.held.answer(messages, 'events');
    return messages.length;
  }
}

function messagesOf(event: OrgEvent, channel: Channel): BayeuxReply[] {
  return channel.messages(event).map(({ content }) => {
    // A corrupt one has lost its header, which no client can do without.
    const payload = event.isCorrupt === true ? {} : cometdPayload(content, event.schema);
    const data = { schema: event.schema.id, payload, event: { replayId: event.replayId } };
    return { data, channel: channel.name };
  });
}
