import type { SourceEvent } from './source-event.js';

/** Where a subscription begins: after a saved replay id, or with events from now on. */
export type StartPosition = { readonly after: string } | 'latest';

/**
 * Why earlier changes are unknown: there is no position to start after, Salesforce no longer stores the events after
 * it, or it omitted some because the user was not allowed to read them.
 */
export type GapReason = 'no-position' | 'position-expired' | 'was-unreadable';

/** Consecutive events of one topic, in its order. */
export interface EventBatch {
  /** Empty when only the position moved: a keep-alive said that nothing happened up to there. */
  readonly events: readonly SourceEvent[];
  /**
   * The position that may be committed once all these events are applied: a subscription after it misses nothing.
   * Undefined while unknown; the position committed before then stays valid. It can be older than the last event here:
   * where events may share a replay id, an id becomes a position only when an event with another id, or a keep-alive,
   * has come.
   */
  readonly position: string | undefined;
}

/** The consumer's callbacks. The source calls them one after the other for each topic, and awaits each. */
export interface TopicHandler {
  /**
   * The objects whose changes are awaited. Salesforce silently omits objects that the user may not (or no longer) read
   * in full. The source checks the named objects as long as it runs, and lists the missing ones in `unreadable`.
   * @default none
   */
  readonly entities?: readonly string[];
  /**
   * Receives events. The next ones come only when the promise has resolved; after a rejection the same batch (the same
   * object) comes again, with back-off, without limit and without skipping.
   */
  onEvents(batch: EventBatch): Promise<void>;
  /**
   * The topic is subscribed, but earlier changes are unknown: the consumer drops data that it can no longer vouch for.
   * Events wait until the promise has resolved; after a rejection this is called again, with back-off and without
   * limit.
   */
  onGap(reason: GapReason): Promise<void>;
}

export type TopicState = 'connecting' | 'live' | 'lost' | 'stopped';

/** State of one topic, as `GET /health/sf-events` shows it. Times are milliseconds since the epoch. */
export interface TopicHealth {
  readonly topic: string;
  readonly transport: string;
  readonly state: TopicState;
  readonly lastEventAt: number | undefined;
  /** The last keep-alive of Salesforce; over CometD, the last answer to `/meta/connect`. */
  readonly lastKeepAliveAt: number | undefined;
  /** The last sign of life of the connection, of any kind. */
  readonly lastSeenAt: number | undefined;
  /**
   * Since when neither an event nor a keep-alive has come on the stream of a live topic, once that is a minute ago;
   * undefined otherwise. Silence is usual where nothing changes, and proves nothing.
   */
  readonly silentSince: number | undefined;
  /** The newest position of a batch that the handler took; a handler that commits has committed it. */
  readonly lastPosition: string | undefined;
  /** When the newest change that the handler took was committed in Salesforce, by Salesforce's clock. */
  readonly lastCommitTimestamp: number | undefined;
  /** Number of events taken, by change type, `platform` or `undecodable`. */
  readonly events: Readonly<Record<string, number>>;
  /** Events that arrived and are not taken yet, those in hand included. */
  readonly waiting: number;
  /**
   * Milliseconds since everything that Salesforce sent for the topic was applied. Above 0 while events are being
   * applied; grows while the topic is not live or missed events are still coming. Undefined if that has never been so
   * since the start.
   */
  readonly behindMs: number | undefined;
  readonly retries: number;
  readonly reconnects: number;
  readonly gaps: number;
  /** Since when the batch (or gap) in hand waits to be applied; undefined while there is none. */
  readonly pendingSince: number | undefined;
  /** How often the batch (or gap) in hand has failed; 0 while there is none. */
  readonly failures: number;
  /** The newest error; undefined again when the topic is live and everything that came is applied. */
  readonly lastError: string | undefined;
  /**
   * Awaited objects that the integration user may not read in full: silence about them proves nothing. An object that
   * is readable again stays listed until the topic is resubscribed and the gap (`was-unreadable`) is handled.
   */
  readonly unreadable: readonly string[];
}

/** The health of a topic before its first sign of life. */
export function unheardTopic(topic: string, transport: string): TopicHealth {
  return {
    topic,
    transport,
    state: 'connecting',
    lastEventAt: undefined,
    lastKeepAliveAt: undefined,
    lastSeenAt: undefined,
    silentSince: undefined,
    lastPosition: undefined,
    lastCommitTimestamp: undefined,
    events: {},
    waiting: 0,
    behindMs: undefined,
    retries: 0,
    reconnects: 0,
    gaps: 0,
    pendingSince: undefined,
    failures: 0,
    lastError: undefined,
    unreadable: [],
  };
}

/** A stream of change events. Implementations: the Pub/Sub API over gRPC, and CometD through jsforce. */
export abstract class ChangeEventSource {
  /** A short name for checkpoints and logs. Replay ids of two transports must not be mixed. */
  abstract readonly transport: string;
  /**
   * Subscribes to all topics; callable again after `stop`. It calls `position` for the topic's start at every
   * (re)subscription, except right after a position has expired; the answer must be the committed position, not the
   * last received one. Resolves when the first attempt to connect has been made; failures are retried until `stop`.
   */
  abstract start(
    topics: ReadonlyMap<string, TopicHandler>,
    position: (topic: string) => Promise<StartPosition>,
  ): Promise<void>;
  /** Resolves when no handler is running and none will be called again. */
  abstract stop(): Promise<void>;
  abstract health(): TopicHealth[];
}
