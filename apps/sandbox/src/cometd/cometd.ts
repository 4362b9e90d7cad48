import { randomBytes } from 'node:crypto';
import type { EventLog } from '../events/event-log.js';
import type { Sessions } from '../oauth/sessions.js';
import type { Schema } from '../org/schema.js';
import {
  accepted,
  authenticationInvalid,
  handshakeDenied,
  refused,
  unknownClient,
  type BayeuxMessage,
  type BayeuxReply,
} from './bayeux.js';
import { isChannel } from './channels.js';
import { CometdSession, type HeldEnd } from './cometd-session.js';
import { replayStart } from './replay.js';

/** Sessions at once; an Enterprise org has 1,000 (Change Data Capture guide, "Allocations"). */
const SESSIONS_MAX = 1_000;

/** Times of the streaming protocol (Streaming API guide, "Timeouts"). */
export interface CometdOptions {
  /** How long a connect is held when nothing happens. @default 110000 */
  readonly connectTimeoutMs: number;
  /** How soon a client must connect again after an answer. @default 40000 */
  readonly sessionTimeoutMs: number;
}

/** What a request brings besides its messages. */
export interface Credentials {
  readonly token: string | undefined;
  readonly cookies: string;
}

/** What a request is answered with: messages now, or a held connect; perhaps with a new cookie. */
export type CometdAnswer =
  | { readonly kind: 'now'; readonly messages: readonly BayeuxReply[]; readonly cookie: string | undefined }
  | {
      readonly kind: 'held';
      readonly messages: Promise<readonly BayeuxReply[]>;
      /** The client has gone: nothing may be taken off its subscriptions for this connect any more. */
      readonly abandon: () => void;
    };

/** The streaming endpoint: handshakes, subscriptions with replay, held connects. */
export class Cometd {
  private readonly sessions = new Map<string, CometdSession>();
  private readonly stopListening: () => void;
  private readonly sweeper: NodeJS.Timeout;
  /** While set, every connect is refused as if the org had used up its daily event deliveries. */
  isDailyLimitExceeded = false;

  constructor(
    private readonly schema: Schema,
    private readonly log: EventLog,
    private readonly tokens: Sessions,
    private readonly options: CometdOptions,
  ) {
    this.stopListening = log.onPublished(() => this.flush());
    tokens.onRevoked((token) => this.endConnects(token));
    this.sweeper = setInterval(() => this.expire(), Math.min(1_000, options.sessionTimeoutMs)).unref();
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  /** Answers the messages of one request. A connect is held only if it came alone: the answers beside it must not wait. */
  receive(messages: readonly BayeuxMessage[], credentials: Credentials): CometdAnswer {
    const [only] = messages;
    if (messages.length === 1 && only?.channel === '/meta/connect') return this.connectAlone(only, credentials);
    let cookie: string | undefined;
    const replies: BayeuxReply[] = [];
    for (const message of messages) {
      if (message.channel === '/meta/handshake') {
        const session = this.handshake(message, credentials, replies);
        cookie = session?.cookie ?? cookie;
      } else {
        replies.push(...this.meta(message, credentials));
      }
    }
    return { kind: 'now', messages: replies, cookie };
  }

  /** Delivers what is due to every held connect. */
  flush(): void {
    for (const session of this.sessions.values()) session.flush();
  }

  /** Forgets all sessions, as Salesforce does when it scales: held connects learn it at once, the others at their next message. */
  killSessions(): number {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) session.held?.answer([], 'gone');
    return sessions.length;
  }

  close(): void {
    clearInterval(this.sweeper);
    this.stopListening();
    this.killSessions();
  }

  private handshake(message: BayeuxMessage, { token }: Credentials, replies: BayeuxReply[]): CometdSession | undefined {
    if (token === undefined || !this.tokens.isValid(token)) {
      replies.push(handshakeDenied(message));
      return undefined;
    }
    if (this.sessions.size >= SESSIONS_MAX) {
      replies.push(
        refused(message, '403::Organization concurrent user limit exceeded', { advice: { reconnect: 'none' } }),
      );
      return undefined;
    }
    const clientId = randomBytes(16).toString('hex');
    const session = new CometdSession(clientId, randomBytes(8).toString('hex'), token, this.log);
    session.expiresAt = Date.now() + this.options.sessionTimeoutMs;
    this.sessions.set(clientId, session);
    replies.push({
      ext: { replay: true, 'payload.format': true },
      minimumVersion: '1.0',
      clientId,
      supportedConnectionTypes: ['long-polling'],
      channel: message.channel,
      id: message.id,
      version: '1.0',
      successful: true,
    });
    return session;
  }

  private meta(message: BayeuxMessage, credentials: Credentials): BayeuxReply[] {
    const session = this.sessionOf(message, credentials);
    if (!(session instanceof CometdSession)) return [session];
    session.expiresAt = Date.now() + this.options.sessionTimeoutMs;
    switch (message.channel) {
      case '/meta/connect': {
        const refusal = this.connectRefusal(message);
        return refusal ? [refusal] : [...session.takeEvents(), this.connected(session, message)];
      }
      case '/meta/subscribe':
        return [this.subscribe(session, message)];
      case '/meta/unsubscribe':
        session.subscriptions.delete(String(message.subscription));
        return [accepted(message, { subscription: message.subscription })];
      case '/meta/disconnect':
        this.sessions.delete(session.clientId);
        session.held?.answer([], 'left');
        return [accepted(message)];
      default:
        return [refused(message, `403::Clients cannot publish to ${message.channel}`)];
    }
  }

  private connectAlone(message: BayeuxMessage, credentials: Credentials): CometdAnswer {
    const session = this.sessionOf(message, credentials);
    if (!(session instanceof CometdSession)) return { kind: 'now', messages: [session], cookie: undefined };
    const refusal = this.connectRefusal(message);
    const due = refusal ? [] : session.takeEvents();
    if (refusal || session.isFirstConnect || due.length > 0) {
      session.expiresAt = Date.now() + this.options.sessionTimeoutMs;
      const messages = refusal ? [refusal] : [...due, this.connected(session, message)];
      return { kind: 'now', messages, cookie: undefined };
    }
    const messages = this.hold(session, message);
    const { held } = session;
    const abandon = (): void => {
      if (session.held === held) held?.answer([], 'timeout');
    };
    return { kind: 'held', messages, abandon };
  }

  private hold(session: CometdSession, message: BayeuxMessage): Promise<readonly BayeuxReply[]> {
    // A client has one connect open; a second one takes the place of the first.
    session.held?.answer([], 'timeout');
    session.expiresAt = Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      const timer = setTimeout(() => session.held?.answer([], 'timeout'), this.options.connectTimeoutMs);
      session.held = {
        answer: (messages, reason) => {
          clearTimeout(timer);
          session.held = undefined;
          session.expiresAt = Date.now() + this.options.sessionTimeoutMs;
          resolve([...messages, this.endReply(session, message, reason)]);
        },
      };
    });
  }

  private connected(session: CometdSession, message: BayeuxMessage): BayeuxReply {
    if (!session.isFirstConnect) return accepted(message);
    session.isFirstConnect = false;
    return accepted(message, { advice: { interval: 0, timeout: this.options.connectTimeoutMs, reconnect: 'retry' } });
  }

  private endReply(session: CometdSession, message: BayeuxMessage, reason: HeldEnd): BayeuxReply {
    if (reason === 'left') return accepted(message, { advice: { reconnect: 'none', interval: 0 } });
    if (reason !== 'gone') return this.connected(session, message);
    return this.tokens.isValid(session.token) ? unknownClient(message) : authenticationInvalid(message);
  }

  private connectRefusal(message: BayeuxMessage): BayeuxReply | undefined {
    if (!this.isDailyLimitExceeded) return undefined;
    return refused(message, '403::Organization total events daily limit exceeded', {
      advice: { reconnect: 'none', interval: 0 },
    });
  }

  private subscribe(session: CometdSession, message: BayeuxMessage): BayeuxReply {
    const channel = String(message.subscription);
    const subscription = { subscription: message.subscription };
    if (typeof message.subscription !== 'string' || !isChannel(this.schema, channel)) {
      return refused(
        message,
        `400::The channel you requested to subscribe to doesn't exist {${channel}}`,
        subscription,
      );
    }
    const start = replayStart(this.log, message.ext?.replay?.[channel]);
    if ('error' in start) return refused(message, start.error, subscription);
    session.subscriptions.set(channel, start);
    return accepted(message, subscription);
  }

  /** The session that a message belongs to, or why it is refused. The token is checked with every message, as its session may have ended. */
  private sessionOf(message: BayeuxMessage, { token, cookies }: Credentials): CometdSession | BayeuxReply {
    const session = this.sessions.get(message.clientId ?? '');
    if (session === undefined) return unknownClient(message);
    const cookie = /(?:^|;\s*)BAYEUX_BROWSER=([^;]*)/.exec(cookies)?.[1];
    if (cookie === undefined) {
      const error = `400::Client ${session.clientId} has established a session, but no BAYEUX_BROWSER cookie present`;
      return refused(message, error, { advice: { reconnect: 'handshake', interval: 0 } });
    }
    if (cookie !== session.cookie) return unknownClient(message);
    if (token === undefined || !this.tokens.isValid(token)) return authenticationInvalid(message);
    return session;
  }

  private endConnects(token: string): void {
    for (const session of this.sessions.values()) if (session.token === token) session.held?.answer([], 'gone');
  }

  private expire(): void {
    const now = Date.now();
    for (const [clientId, session] of this.sessions) if (session.expiresAt <= now) this.sessions.delete(clientId);
  }
}
