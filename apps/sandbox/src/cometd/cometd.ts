import { randomBytes } from 'node:crypto';
import type { Channels } from '../events/channels.js';
import type { EventAllocation } from '../events/event-allocation.js';
import type { EventLog } from '../events/event-log.js';
import type { Sessions } from '../oauth/sessions.js';
import type { Timing } from '../timing.js';
import {
  accepted,
  allocationExceeded,
  authenticationInvalid,
  handshakeDenied,
  refused,
  unknownClient,
  type BayeuxMessage,
  type BayeuxReply,
} from './bayeux.js';
import { CometdSession, type HeldEnd } from './cometd-session.js';
import { replayStart } from './replay.js';

/** Maximum concurrent sessions; an Enterprise org has 1,000 (Change Data Capture guide, "Allocations"). */
const SESSIONS_MAX = 1_000;

/** The parts that the streaming endpoint uses. */
export interface CometdContext {
  readonly channels: Channels;
  readonly log: EventLog;
  readonly tokens: Sessions;
  readonly allocation: EventAllocation;
  readonly timing: Timing;
}

/** The token and cookies that a request carries besides its messages. */
export interface Credentials {
  readonly token: string | undefined;
  readonly cookies: string;
}

/** The answer to a request: messages now, with a cookie if a new one is given, or a held connect. */
export type CometdAnswer =
  | { readonly kind: 'now'; readonly messages: readonly BayeuxReply[]; readonly cookie: string | undefined }
  | {
      readonly kind: 'held';
      /** Resolves with undefined if the connection must be cut without an answer. */
      readonly messages: Promise<readonly BayeuxReply[] | undefined>;
      /** Ends the connect because the client has gone; it takes no more events off the subscriptions. */
      readonly abandon: () => void;
    };

/** The streaming endpoint: handshakes, subscriptions with replay, held connects. */
export class Cometd {
  private readonly sessions = new Map<string, CometdSession>();
  private readonly stopListening: () => void;
  private readonly sweeper: NodeJS.Timeout;
  private silent = false;

  constructor(private readonly context: CometdContext) {
    this.stopListening = context.log.onPublished(() => this.flush());
    context.channels.onRemoved((name) => {
      for (const session of this.sessions.values()) session.subscriptions.delete(name);
    });
    context.tokens.onRevoked((token) => this.endConnects(token));
    this.sweeper = setInterval(() => this.expire(), 1_000).unref();
  }

  /** While true, connects are held, and neither events nor the timeout answer them: an open but dead connection. */
  get isSilent(): boolean {
    return this.silent;
  }

  set isSilent(isSilent: boolean) {
    this.silent = isSilent;
    if (isSilent) return;
    this.flush();
    for (const session of this.sessions.values()) session.held?.answer([], 'timeout');
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  /**
   * Answers the messages of one request. A connect is held only if it came alone, so that answers beside it do not
   * wait.
   */
  receive(messages: readonly BayeuxMessage[], credentials: Credentials): CometdAnswer {
    const [only] = messages;
    if (messages.length === 1 && only?.channel === '/meta/connect') return this.connectAlone(only, credentials);
    let cookie: string | undefined;
    const replies: BayeuxReply[] = [];
    for (const message of messages) {
      if (message.channel === '/meta/handshake') {
        const session = this.handshake(message, credentials, replies);
        const isGiven = session !== undefined && session.cookie !== browserOf(credentials);
        if (isGiven) cookie = session.cookie;
      } else {
        replies.push(...this.meta(message, credentials));
      }
    }
    return { kind: 'now', messages: replies, cookie };
  }

  /**
   * Delivers due events to every held connect, or ends the held connects if the day's deliveries are used up. While
   * `isSilent`, it does nothing.
   */
  flush(): void {
    if (this.silent) return;
    for (const session of this.sessions.values()) {
      if (this.context.allocation.isExceeded) session.held?.answer([], 'exceeded');
      else this.context.allocation.count(session.flush());
    }
  }

  /**
   * Forgets all sessions, as Salesforce does when it scales, and returns their number. Held connects are refused at
   * once, other clients at their next message.
   */
  killSessions(): number {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) session.held?.answer([], 'gone');
    return sessions.length;
  }

  /** Cuts the connection of every held connect and returns their number; the sessions continue. */
  dropHeld(): number {
    const held = [...this.sessions.values()].filter((session) => session.held !== undefined);
    for (const session of held) session.held?.answer([], 'dropped');
    return held.length;
  }

  close(): void {
    clearInterval(this.sweeper);
    this.stopListening();
    this.killSessions();
  }

  /**
   * Opens a session, or adds the refusal to `replies`. A `BAYEUX_BROWSER` id that the client sent is kept, because all
   * clients of one process share that cookie; every later message must carry the id of its session.
   */
  private handshake(
    message: BayeuxMessage,
    credentials: Credentials,
    replies: BayeuxReply[],
  ): CometdSession | undefined {
    const { token } = credentials;
    if (token === undefined || !this.context.tokens.isValid(token)) {
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
    const session = new CometdSession(
      clientId,
      browserOf(credentials) ?? randomBytes(8).toString('hex'),
      token,
      this.context.log,
    );
    session.expiresAt = Date.now() + this.context.timing.cometdSessionTimeoutMs;
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
    session.expiresAt = Date.now() + this.context.timing.cometdSessionTimeoutMs;
    switch (message.channel) {
      case '/meta/connect': {
        const refusal = this.connectRefusal(message);
        return refusal ? [refusal] : [...this.eventsFor(session), this.connected(session, message)];
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
    const due = refusal || this.silent ? [] : this.eventsFor(session);
    if (!this.silent && (refusal || session.isFirstConnect || due.length > 0)) {
      session.expiresAt = Date.now() + this.context.timing.cometdSessionTimeoutMs;
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

  private hold(session: CometdSession, message: BayeuxMessage): Promise<readonly BayeuxReply[] | undefined> {
    // A client has one open connect; a second one replaces the first.
    session.held?.answer([], 'timeout');
    session.expiresAt = Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (!this.silent) session.held?.answer([], 'timeout');
      }, this.context.timing.connectTimeoutMs);
      session.held = {
        answer: (messages, reason) => {
          clearTimeout(timer);
          session.held = undefined;
          session.expiresAt = Date.now() + this.context.timing.cometdSessionTimeoutMs;
          resolve(reason === 'dropped' ? undefined : [...messages, this.endReply(session, message, reason)]);
        },
      };
    });
  }

  private connected(session: CometdSession, message: BayeuxMessage): BayeuxReply {
    if (!session.isFirstConnect) return accepted(message);
    session.isFirstConnect = false;
    return accepted(message, {
      advice: { interval: 0, timeout: this.context.timing.connectTimeoutMs, reconnect: 'retry' },
    });
  }

  private endReply(session: CometdSession, message: BayeuxMessage, reason: HeldEnd): BayeuxReply {
    if (reason === 'exceeded') return allocationExceeded(message);
    if (reason === 'left') return accepted(message, { advice: { reconnect: 'none', interval: 0 } });
    if (reason !== 'gone') return this.connected(session, message);
    return this.context.tokens.isValid(session.token) ? unknownClient(message) : authenticationInvalid(message);
  }

  private eventsFor(session: CometdSession): BayeuxReply[] {
    const messages = session.takeEvents();
    this.context.allocation.count(messages.length);
    return messages;
  }

  private connectRefusal(message: BayeuxMessage): BayeuxReply | undefined {
    return this.context.allocation.isExceeded ? allocationExceeded(message) : undefined;
  }

  private subscribe(session: CometdSession, message: BayeuxMessage): BayeuxReply {
    const name = String(message.subscription);
    const subscription = { subscription: message.subscription };
    const channel = typeof message.subscription === 'string' ? this.context.channels.open(name) : undefined;
    if (channel === undefined) {
      const error = `400::The channel you requested to subscribe to doesn't exist {${name}}`;
      return refused(message, error, subscription);
    }
    if (!channel.canSubscribe()) {
      const error = '403::User not allowed to subscribe CDC without View All Data permissions';
      return refused(message, error, subscription);
    }
    const start = replayStart(this.context.log, message.ext?.replay?.[name]);
    if ('error' in start) return refused(message, start.error, subscription);
    session.subscriptions.set(name, { after: start.after, channel });
    return accepted(message, subscription);
  }

  /**
   * The session that a message belongs to, or the refusal. Every message's token is checked, because a token can end
   * before the CometD session that was opened with it.
   */
  private sessionOf(message: BayeuxMessage, credentials: Credentials): CometdSession | BayeuxReply {
    const { token } = credentials;
    const session = this.sessions.get(message.clientId ?? '');
    if (session === undefined) return unknownClient(message);
    const cookie = browserOf(credentials);
    if (cookie === undefined) {
      const error = `400::Client ${session.clientId} has established a session, but no BAYEUX_BROWSER cookie present`;
      return refused(message, error, { advice: { reconnect: 'handshake', interval: 0 } });
    }
    if (cookie !== session.cookie) return unknownClient(message);
    if (token === undefined || !this.context.tokens.isValid(token)) return authenticationInvalid(message);
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

/**
 * The `BAYEUX_BROWSER` id that the client sent; undefined if there is none, or if it is not 1 to 64 letters, digits,
 * `_` or `-`.
 */
function browserOf({ cookies }: Credentials): string | undefined {
  return /(?:^|;\s*)BAYEUX_BROWSER=([\w-]{1,64})(?:;|$)/.exec(cookies)?.[1];
}
