import type { Connection } from 'jsforce';
import {
  abandon,
  type BayeuxClient,
  boundAnswers,
  type BayeuxExtension,
  type BayeuxMessage,
  type Pass,
} from './bayeux.js';
import type { StartPosition } from '../change-event-source.js';
import type { StreamEnd } from '../delivery/stream-end.js';

/**
 * What became of a subscription. `refused`: try again later, the session continues; `ended`: the session ended before
 * the server answered.
 */
export type SubscribeResult =
  | { readonly status: 'subscribed' }
  | { readonly status: 'position-expired'; readonly reason: string }
  | { readonly status: 'refused'; readonly reason: string }
  | { readonly status: 'ended' };

/** Callbacks of a session. They run synchronously while answers are read, so they come in the order of arrival. */
export interface SessionListener {
  /** Returning false ends the session with `overflow`. */
  onData(topic: string, data: unknown): boolean;
  onSeen(): void;
  /** The server answered `/meta/connect`: its hold time passed without events, or events came with the answer. */
  onKeepAlive(): void;
}

/**
 * Maximum size of one answer of the server. An event has at most 1 MB (Platform Events Developer Guide, "Allocations"),
 * and an answer holds a batch of events.
 */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** How long a closing session waits for the server's answer to the disconnect. */
const FAREWELL_MS = 1_000;

/**
 * The error of a position that Salesforce no longer stores: "400::The replayId {82} you provided was invalid. …"
 * (Streaming API Guide, "Streaming API Error Codes").
 */
const EXPIRED = /^400::.*replay ?id/i;

/**
 * The error of an org without events left for the day: "403::Organization total events daily limit exceeded" (same
 * section of the guide).
 */
const DAILY_LIMIT = /^403::.*daily limit/i;

/**
 * The error of too many clients at once: "403::Organization concurrent user limit exceeded" (same section of the
 * guide).
 */
const TOO_MANY_CLIENTS = /^403::.*concurrent user limit/i;

/** Whether Salesforce says that the org has used up its events of the day. */
export function isDailyLimit(error: string): boolean {
  return DAILY_LIMIT.test(error);
}

interface PendingSubscription {
  readonly replay: number | string;
  readonly onLive: () => void;
  readonly settle: (result: SubscribeResult) => void;
}

/**
 * One CometD session: one client, one token, one handshake. It ends at the first failure and never repairs itself: faye
 * would resubscribe after the *received* position, and silently lose a topic whose position has expired.
 */
export class CometdSession {
  readonly ended: Promise<StreamEnd>;
  private settleEnded!: (end: StreamEnd) => void;
  private isEnded = false;
  private isOverflow = false;
  private closing: Promise<void> | undefined;
  private readonly client: BayeuxClient;
  private readonly pending = new Map<string, PendingSubscription>();
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    connection: Connection,
    private readonly listener: SessionListener,
    private readonly watchdogMs: number,
  ) {
    this.ended = new Promise((resolve) => {
      this.settleEnded = resolve;
    });
    const extension: BayeuxExtension = {
      outgoing: (message, pass) => this.outgoing(message, pass),
      incoming: (message, pass) => this.incoming(message, pass),
    };
    this.client = connection.streaming.createClient([extension]) as unknown as BayeuxClient;
    this.client.disable('websocket'); // spares an upgrade request per handshake; Salesforce offers long polling only
    this.client.on('transport:down', () => this.end({ kind: 'failed', reason: 'the connection to Salesforce broke' }));
    boundAnswers(this.client, ANSWER_BYTES_MAX, () => {
      this.end({ kind: 'failed', reason: `an answer of more than ${ANSWER_BYTES_MAX} bytes` });
    });
    this.feedWatchdog();
  }

  /**
   * Resolves with the server's answer, or with `ended` when the session ends first; no answer within the watchdog's
   * time ends the session. `onLive` is called when a positive answer is read, so before any event of the topic. Only
   * one call per topic may be pending.
   */
  subscribe(topic: string, start: StartPosition, onLive: () => void): Promise<SubscribeResult> {
    if (this.isEnded) return Promise.resolve({ status: 'ended' });
    const replay = start === 'latest' ? -1 : numberIfExact(start.after);
    return new Promise((resolve) => {
      const reason = `no answer to the subscription of ${topic} for ${this.watchdogMs} ms`;
      const unanswered = setTimeout(() => this.end({ kind: 'failed', reason }), this.watchdogMs);
      const settle = (result: SubscribeResult): void => {
        clearTimeout(unanswered);
        resolve(result);
      };
      this.pending.set(topic, { replay, onLive, settle });
      try {
        this.client.subscribe(topic, () => undefined);
      } catch (error) {
        this.pending.delete(topic); // faye rejects the name of the topic
        settle({ status: 'refused', reason: error instanceof Error ? error.message : String(error) });
      }
    });
  }

  /** Ends the session and its requests. Resolves within a second, never rejects; does not wait for a failed server. */
  close(): Promise<void> {
    const wasAlive = !this.isEnded || this.isOverflow;
    this.end({ kind: 'closed', reason: 'closed' });
    this.closing ??= this.leave(wasAlive);
    return this.closing;
  }

  private async leave(withFarewell: boolean): Promise<void> {
    let farewell: PromiseLike<unknown> | undefined;
    try {
      farewell = this.client.disconnect() as PromiseLike<unknown> | undefined;
    } catch {
      // There is no server to disconnect from.
    }
    if (withFarewell && farewell !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, FAREWELL_MS);
      });
      await Promise.race([limit, settled(farewell)]);
      clearTimeout(timer);
    }
    abandon(this.client);
  }

  private outgoing(message: BayeuxMessage, pass: Pass): void {
    if (this.isEnded) return pass(message.channel === '/meta/disconnect' ? message : null);
    if (message.channel === '/meta/subscribe' && typeof message.subscription === 'string') {
      const subscription = this.pending.get(message.subscription);
      // A topic without a position must not be subscribed: the default position would lose events silently.
      if (subscription === undefined) return pass(null);
      message.ext = { ...message.ext, replay: { [message.subscription]: subscription.replay } };
    }
    pass(message);
  }

  private incoming(message: BayeuxMessage, pass: Pass): void {
    if (this.isEnded) return pass(message.channel === '/meta/disconnect' ? message : null);
    if (message.channel === undefined) {
      // Not Bayeux: a server in front of Salesforce's CometD answers some errors with other JSON.
      this.end({ kind: 'failed', reason: 'the server answered something that is not CometD' });
      return pass(null);
    }
    if (message.channel === '/meta/subscribe') return this.subscribeAnswered(message, pass);
    const end = endOf(message);
    if (end !== undefined) {
      this.end(end);
      return pass(null);
    }
    if (message.channel === '/meta/connect' || message.channel === '/meta/handshake') this.feedWatchdog();
    this.listener.onSeen();
    if (message.channel === '/meta/connect') this.listener.onKeepAlive();
    if (
      !message.channel.startsWith('/meta/') &&
      message.data !== undefined &&
      !this.listener.onData(message.channel, message.data)
    ) {
      this.end({ kind: 'overflow', reason: `events of ${message.channel} came faster than they were handled` });
      return pass(null);
    }
    pass(message);
  }

  private subscribeAnswered(message: BayeuxMessage, pass: Pass): void {
    const topic = String(message.subscription);
    const subscription = this.pending.get(topic);
    const error = message.error ?? '';
    if (message.successful === true) {
      this.pending.delete(topic);
      subscription?.onLive();
      subscription?.settle({ status: 'subscribed' });
      return pass(message);
    }
    const end = endOf(message);
    if (end !== undefined) {
      this.end(end);
      return pass(null);
    }
    this.pending.delete(topic);
    pass(message); // faye drops the subscription, so that the topic can be subscribed again
    subscription?.settle(
      EXPIRED.test(error)
        ? { status: 'position-expired', reason: error }
        : { status: 'refused', reason: error || 'no reason given' },
    );
  }

  private end(end: StreamEnd): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.isOverflow = end.kind === 'overflow';
    clearTimeout(this.watchdog);
    this.settleEnded(end);
    for (const { settle } of this.pending.values()) settle({ status: 'ended' });
    this.pending.clear();
  }

  private feedWatchdog(): void {
    clearTimeout(this.watchdog);
    const reason = `no answer to /meta/connect for ${this.watchdogMs} ms`;
    this.watchdog = setTimeout(() => this.end({ kind: 'failed', reason, isSilent: true }), this.watchdogMs);
  }
}

/**
 * The end of the session that a message signals, if any. Every refusal is one, and so is the advice to shake hands
 * again, or to stop. The refusal of a subscription ends the session only with such advice, or for a rejected token, too
 * many clients or a lost session.
 */
function endOf(message: BayeuxMessage): StreamEnd | undefined {
  const error = message.error ?? '';
  const detail = message.ext?.sfdc?.failureReason;
  const reason = `${message.channel}: ${error}${detail === undefined ? '' : ` (${detail})`}`;
  const isAuth =
    error.startsWith('401::') || detail?.startsWith('401::') === true || /^403::Handshake denied/i.test(error);
  if (message.successful === false && isAuth) return { kind: 'auth', reason };
  if (message.successful === false && message.channel !== '/meta/subscribe' && isDailyLimit(error)) {
    return { kind: 'limit', reason };
  }
  if (message.successful === false && TOO_MANY_CLIENTS.test(error)) return { kind: 'busy', reason };
  const reconnect = message.advice?.reconnect;
  if (reconnect === 'none' || reconnect === 'handshake') return { kind: 'failed', reason };
  if (message.successful === false && message.channel !== '/meta/subscribe') return { kind: 'failed', reason };
  if (/^403::Unknown client/i.test(error)) return { kind: 'failed', reason };
  return undefined;
}

/** The replay id as the number that CometD sends on the wire; text if a number cannot hold it exactly. */
function numberIfExact(replayId: string): number | string {
  const number = Number(replayId);
  return Number.isSafeInteger(number) && String(number) === replayId ? number : replayId;
}

function settled(promise: PromiseLike<unknown>): Promise<void> {
  return new Promise((resolve) => {
    promise.then(
      () => resolve(),
      () => resolve(),
    );
  });
}
