import type { SourceEvent } from './source-event.js';

/** Where to begin: after a saved replay id, or with what happens from now on. */
export type StartPosition = { readonly after: string } | 'latest';

/**
 * Why it is not known what happened before: there was no start position, Salesforce keeps its events no longer, or it left
 * some out because the user was not allowed to read them.
 */
export type GapReason = 'no-position' | 'position-expired' | 'was-unreadable';

/** What waited of one topic, in its order. */
export interface EventBatch {
  /** Empty when only the position has moved: a keep-alive said that nothing happened up to there. */
  readonly events: readonly SourceEvent[];
  /**
   * What may be committed when all these events are applied: who starts after it misses nothing. Undefined while it is not
   * known; then the position committed before stays. It can be older than the last event here: where events may share a
   * replay id, one is a position only when an event with another id has come.
   */
  readonly position: string | undefined;
}

/** What the source tells its consumer. All calls for one topic are made one after the other, each awaited. */
export interface TopicHandler {
  /**
   * The objects whose changes are awaited. Salesforce leaves out, without a word, those that the user may not read all of
   * (any more); named here, they are looked at as long as the source runs, and shown in `unreadable`. @default none
   */
  readonly entities?: readonly string[];
  /**
   * The next events. The source calls again only when the promise has resolved; after a rejection it hands over the same
   * batch, the same object, with back-off, without end and without skipping.
   */
  onEvents(batch: EventBatch): Promise<void>;
  /**
   * The topic is live from here on, but what happened before is not known. Events wait until the promise has resolved. The
   * consumer drops what it can no longer vouch for.
   */
  onGap(reason: GapReason): Promise<void>;
}

export type TopicState = 'connecting' | 'live' | 'lost' | 'stopped';

/** What `GET /health/sf-events` shows of a topic. Times are milliseconds since the epoch. */
export interface TopicHealth {
  readonly topic: string;
  readonly transport: string;
  readonly state: TopicState;
  readonly lastEventAt: number | undefined;
  /** The last time that Salesforce said that there is nothing to tell. */
  readonly lastKeepAliveAt: number | undefined;
  /** The last sign of life of the connection, whichever it was. */
  readonly lastSeenAt: number | undefined;
  /** The newest position of a batch that the handler has taken; a handler that commits has committed it. */
  readonly lastPosition: string | undefined;
  /** When the newest change that the handler has taken was committed in Salesforce, by Salesforce's clock. */
  readonly lastCommitTimestamp: number | undefined;
  /** How many events were taken, by change type; `platform` and `undecodable` beside these. */
  readonly events: Readonly<Record<string, number>>;
  /** Events that have arrived and are not taken yet, those in hand included. */
  readonly waiting: number;
  /**
   * How many milliseconds ago everything that Salesforce had told of the topic was applied: some, while events are being
   * applied; growing, while the topic is not live, or what was missed is still coming. Undefined: never since the start.
   */
  readonly behindMs: number | undefined;
  readonly retries: number;
  readonly reconnects: number;
  readonly gaps: number;
  /** Since when the batch (or gap) in hand waits to be applied; undefined while there is none. */
  readonly pendingSince: number | undefined;
  /** How often the one in hand has failed; 0 while there is none. */
  readonly failures: number;
  /** The newest trouble; undefined again when the topic is live and everything that came is applied. */
  readonly lastError: string | undefined;
  /**
   * Awaited objects of which the integration user may not read all: silence about them means nothing. One that he may read
   * again is named until the topic was subscribed anew and the gap (`was-unreadable`) was dealt with.
   */
  readonly unreadable: readonly string[];
}

/** The health of a topic of which nothing has been heard. */
export function unheardTopic(topic: string, transport: string): TopicHealth {
  return {
    topic,
    transport,
    state: 'connecting',
    lastEventAt: undefined,
    lastKeepAliveAt: undefined,
    lastSeenAt: undefined,
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
  /** A short name for checkpoints and logs; replay ids of two transports must not be mixed. */
  abstract readonly transport: string;
  /**
   * Subscribes; after `stop` it may be called again. `position` is asked for the topic's start at every (re)subscription, so it names what was committed, not
   * what was received. Resolves when the first attempt to connect has been made; failures are retried until `stop`.
   */
  abstract start(
    topics: ReadonlyMap<string, TopicHandler>,
    position: (topic: string) => Promise<StartPosition>,
  ): Promise<void>;
  /** Resolves when no handler is running and none will be called again. */
  abstract stop(): Promise<void>;
  abstract health(): TopicHealth[];
}
