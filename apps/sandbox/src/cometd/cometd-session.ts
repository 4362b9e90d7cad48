import type { Channel } from '../events/channel.js';
import type { EventLog } from '../events/event-log.js';
import type { OrgEvent } from '../events/org-event.js';
import type { BayeuxReply } from './bayeux.js';
import { cometdPayload } from './cometd-payload.js';

/** Maximum events examined for one answer. It bounds the size of an answer, not what is delivered. */
const EVENTS_PER_ANSWER_MAX = 1_000;

/**
 * Why a held connect is answered: `gone` when the session has ended, `left` when the client has disconnected,
 * `exceeded` when the allocation is used up. `dropped` cuts the connection instead.
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
 * One client's session. It has no queue: every subscription is a position in the event log, so the log bounds a slow
 * client's backlog, and events leave the backlog only by expiring.
 */
export class CometdSession {
  readonly subscriptions = new Map<string, Subscription>();
  held: HeldConnect | undefined;
  isFirstConnect = true;
  /**
   * When the session ends unless a connect arrives before, in ms by the real clock; infinite while a connect is held.
   */
  expiresAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly clientId: string,
    readonly cookie: string,
    readonly token: string,
    private readonly log: EventLog,
  ) {}

  /**
   * Takes the due messages off the subscriptions, in the log's order: each event once for each subscription that it
   * belongs to.
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
    // A corrupt event lacks its header, which every client needs.
    const payload = event.isCorrupt === true ? {} : cometdPayload(content, event.schema);
    const data = { schema: event.schema.id, payload, event: { replayId: event.replayId } };
    return { data, channel: channel.name };
  });
}
