import type { EventLog } from '../events/event-log.js';
import type { BayeuxReply } from './bayeux.js';
import { isDelivered } from './channels.js';

/** Events looked at for one answer: the bound on the size of an answer, not on what is delivered. */
const EVENTS_PER_ANSWER_MAX = 1_000;

/** Why a held connect is answered: `gone` is the end of the session, `left` the client's own disconnect. */
export type HeldEnd = 'events' | 'timeout' | 'gone' | 'left';

/** A connect that is held open: the function ends it with this list of messages. */
export interface HeldConnect {
  answer(messages: readonly BayeuxReply[], reason: HeldEnd): void;
}

/**
 * One client's session. It keeps no queue of its own: every subscription is a place in the event log, so what a slow
 * client has coming is bounded by the log, and events leave it only by expiring.
 */
export class CometdSession {
  readonly subscriptions = new Map<string, { after: number }>();
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
      for (const [channel, place] of this.subscriptions) {
        if (event.replayId <= place.after) continue;
        place.after = event.replayId;
        if (!isDelivered(channel, event.channel)) continue;
        const data = { schema: event.schema, payload: event.payload, event: { replayId: event.replayId } };
        messages.push({ data, channel });
      }
    }
    return messages;
  }

  /** Answers the held connect if something is due for it. */
  flush(): void {
    if (this.held === undefined) return;
    const messages = this.takeEvents();
    if (messages.length > 0) this.held.answer(messages, 'events');
  }
}
