import type { SourceEvent } from './source-event.js';

/** Where to begin: after a saved replay id, or with what happens from now on. */
export type StartPosition = { readonly after: string } | 'latest';

/** What the source tells its consumer. All calls for one topic are made one after the other, each awaited. */
export interface TopicHandler {
  /**
   * One event, in the order of the topic. The source sends the next one of this topic only when the promise has resolved;
   * a rejection is retried with back-off, without end and without skipping.
   */
  onEvent(event: SourceEvent): Promise<void>;
  /**
   * The topic is live from here on, but what happened before is not known: there was no start position, or the saved one
   * has expired. Events wait until the promise has resolved. The consumer drops what it can no longer vouch for.
   */
  onGap(reason: 'no-position' | 'position-expired'): Promise<void>;
}

export type TopicState = 'connecting' | 'live' | 'lost' | 'stopped';

/** What `GET /health/sf-events` shows of a topic. Times are milliseconds since the epoch. */
export interface TopicHealth {
  readonly topic: string;
  readonly state: TopicState;
  readonly lastEventAt: number | undefined;
  /** The last sign of life of the connection, an empty keep-alive included. */
  readonly lastSeenAt: number | undefined;
  readonly events: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly reconnects: number;
  readonly gaps: number;
  /** Since when the event (or gap) in hand waits to be applied; undefined while there is none. */
  readonly pendingSince: number | undefined;
  /** How often the one in hand has failed; 0 while there is none. */
  readonly failures: number;
  /** The newest trouble; undefined again when the topic is live and everything that came is applied. */
  readonly lastError: string | undefined;
}

/** A stream of change events. Implementations: CometD through jsforce; the Pub/Sub API comes beside it. */
export abstract class ChangeEventSource {
  /** A short name for checkpoints and logs; replay ids of two transports must not be mixed. */
  abstract readonly transport: string;
  /**
   * Subscribes. `position` is asked for the topic's start at every (re)subscription, so it names what was committed, not
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
