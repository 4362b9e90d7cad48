import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Message {
  channel: string;
  id?: string;
  clientId?: string;
  subscription?: string;
  advice?: { timeout?: number };
  ext?: { replay?: Record<string, number | string> };
}

interface StoredEvent {
  readonly channel: string;
  readonly data: { readonly schema: string; readonly payload: object; readonly event: { readonly replayId: number } };
}

interface Session {
  readonly id: string;
  readonly token: string;
  readonly topics: Set<string>;
  readonly outbox: StoredEvent[];
  hasConnected: boolean;
  poll:
    | { readonly id: string | undefined; readonly answer: (messages: object[]) => void; readonly timer: NodeJS.Timeout }
    | undefined;
}

const BODY_BYTES_MAX = 32_768;

/**
 * A Salesforce that issues tokens and speaks CometD with replay, over real sockets, with the answers that Salesforce
 * documents. A test switches faults on and off, such as revoked tokens, killed sessions, refused topics or silence.
 */
export class StreamingDouble {
  readonly subscribes: { topic: string; replay: number | string | undefined }[] = [];
  tokensIssued = 0;
  /** Replay ids below it are out of retention. */
  oldestReplayId = 0;
  /** While set, a `/meta/connect` that is held open is never answered. */
  isSilent = false;
  /** While set, subscriptions are not answered, although everything else is. */
  ignoresSubscriptions = false;
  /** While set, every sign-in is refused. */
  refusesSignIn = false;
  readonly refusedTopics = new Map<string, string>();
  /** While set, handshakes are refused with this error; the answer's advice calls it permanent. */
  handshakeError: string | undefined;
  /** While set, every new connect is refused with this error; `refuseConnects` also ends those that are open. */
  connectError: string | undefined;
  /** While set, every CometD request is answered with this HTTP status and without a Bayeux message. */
  httpStatus: number | undefined;
  /** The largest body so far of a CometD request; Salesforce accepts 32,768 bytes (Streaming API Guide, "Limits"). */
  requestBytesMax = 0;
  /** The names of the cookies of each message after a handshake, as one text; equal texts count once. */
  readonly cookies = new Set<string>();
  private readonly events: StoredEvent[] = [];
  private readonly sessions = new Map<string, Session>();
  /** While set, every CometD request is redirected to this address. */
  redirectsTo: string | undefined;
  /** While set, the answer to a CometD request never ends. */
  floods = false;
  bytesFlooded = 0;
  private readonly server: Server;
  private token = '';
  private replayId = 100;

  private constructor(private readonly longPollMs: number) {
    this.server = createServer((request, response) => this.handle(request, response));
  }

  static async start({ longPollMs = 500, port = 0 } = {}): Promise<StreamingDouble> {
    const double = new StreamingDouble(longPollMs);
    await new Promise<void>((resolve) => double.server.listen(port, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  get newestReplayId(): number {
    return this.replayId;
  }

  /** Stores the event and sends it to every subscriber. Returns its replay id. Ids have gaps, as Salesforce's do. */
  publish(channel: string, payload: object): number {
    this.replayId += 3;
    const event = { channel, data: { schema: 'S1', payload, event: { replayId: this.replayId } } };
    this.events.push(event);
    for (const session of this.sessions.values()) {
      if (session.topics.has(channel)) session.outbox.push(event);
      this.flush(session);
    }
    return this.replayId;
  }

  /** Makes every session unknown, as when Salesforce moves a server; open polls receive that as an error. */
  killSessions(): void {
    for (const session of [...this.sessions.values()]) {
      this.sessions.delete(session.id);
      this.answerPoll(session, [
        { advice: { reconnect: 'handshake', interval: 0 }, error: '403::Unknown client', successful: false },
      ]);
    }
  }

  /** Makes the token invalid; open polls receive that as an error. */
  revokeToken(): void {
    this.token = '';
    for (const session of this.sessions.values()) {
      this.answerPoll(session, [
        {
          clientId: session.id,
          advice: { reconnect: 'none', interval: 0 },
          error: '401::Authentication invalid',
          successful: false,
        },
      ]);
    }
  }

  /** Answers every open poll, and every connect from now on, with this error; undefined ends that. */
  refuseConnects(error: string | undefined): void {
    this.connectError = error;
    if (error === undefined) return;
    for (const session of this.sessions.values()) this.answerPoll(session, [{ error, successful: false }]);
  }

  /** Cuts every connection without an answer. */
  dropConnections(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    for (const session of this.sessions.values()) clearTimeout(session.poll?.timer);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/services/oauth2/token') return this.issueToken(response);
      if (request.method !== 'POST' || !request.url?.startsWith('/cometd/')) return void response.writeHead(400).end();
      this.requestBytesMax = Math.max(this.requestBytesMax, Buffer.byteLength(body));
      if (Buffer.byteLength(body) > BODY_BYTES_MAX) return void response.writeHead(413).end();
      if (this.redirectsTo !== undefined) {
        return void response.writeHead(307, { location: this.redirectsTo }).end('<html>moved</html>');
      }
      if (this.floods) return this.flood(response);
      if (this.httpStatus !== undefined) return void response.writeHead(this.httpStatus).end('<html>busy</html>');
      this.answerMessages(JSON.parse(body) as Message | Message[], request, response);
    });
  }

  /** Sends an answer that does not end, and counts its bytes. */
  private flood(response: ServerResponse): void {
    const chunk = Buffer.alloc(1_048_576, ' ');
    const push = (): void => {
      while (!response.destroyed && response.write(chunk)) this.bytesFlooded += chunk.length;
      if (!response.destroyed) response.once('drain', push);
    };
    push();
  }

  private issueToken(response: ServerResponse): void {
    if (this.refusesSignIn) {
      const refusal = { error: 'invalid_client', error_description: 'invalid client credentials' };
      return void response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
    }
    this.tokensIssued += 1;
    this.token = `00Dxx0000000001!TOKEN${this.tokensIssued}`;
    const answer = {
      access_token: this.token,
      instance_url: this.url,
      id: `${this.url}/id/00Dxx0000000001EAA/005xx0000000001AAA`,
      token_type: 'Bearer',
      issued_at: String(Date.now()),
      signature: 'x',
      scope: 'api',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private answerMessages(body: Message | Message[], request: IncomingMessage, response: ServerResponse): void {
    const headers: Record<string, string | string[]> = { 'content-type': 'application/json' };
    const send = (messages: object[]): void => void response.writeHead(200, headers).end(JSON.stringify(messages));
    const answers: object[] = [];
    let held: { session: Session; message: Message } | undefined;
    for (const message of [body].flat()) {
      if (message.channel === '/meta/handshake') {
        answers.push(this.handshake(message, request.headers.authorization, headers));
        continue;
      }
      const session = this.sessions.get(message.clientId ?? '');
      const { cookie = '' } = request.headers;
      this.cookies.add(cookie.replace(/=[0-9a-f]+/g, '').replace(/\s/g, ''));
      const hasCookie =
        cookie.includes(`BAYEUX_BROWSER=${session?.id.slice(0, 12)}`) && cookie.includes('sfdc-stream=');
      if (message.channel === '/meta/subscribe' && this.ignoresSubscriptions) continue;
      if (session === undefined || !hasCookie) answers.push(unknownClient(message));
      else if (message.channel !== '/meta/connect') answers.push(this.answer(session, message));
      else if (session.token !== this.token) answers.push(rejected(message));
      else if (this.connectError !== undefined) answers.push(this.refusedConnect(message));
      // A client that sends a connect together with other messages expects all answers at once.
      else if (session.hasConnected && message.advice?.timeout !== 0) held = { session, message };
      else answers.push(this.firstConnect(session, message));
    }
    if (held === undefined) return send(answers);
    this.hold(held.session, held.message, (messages) => send([...answers, ...messages]));
  }

  private handshake(
    message: Message,
    authorization: string | undefined,
    headers: Record<string, string | string[]>,
  ): object {
    if (this.handshakeError !== undefined) {
      return { ...reply(message), advice: { reconnect: 'none' }, error: this.handshakeError, successful: false };
    }
    if (this.token === '' || authorization !== `OAuth ${this.token}`) {
      const ext = { sfdc: { failureReason: '401::Authentication invalid' }, replay: true, 'payload.format': true };
      return {
        ...reply(message),
        ext,
        advice: { reconnect: 'none' },
        error: '403::Handshake denied',
        successful: false,
      };
    }
    const id = randomBytes(14).toString('hex');
    headers['set-cookie'] = [
      `BAYEUX_BROWSER=${id.slice(0, 12)}; Path=/; HttpOnly`,
      'sfdc-stream=abc; Path=/; HttpOnly',
    ];
    this.sessions.set(id, {
      id,
      token: this.token,
      topics: new Set(),
      outbox: [],
      hasConnected: false,
      poll: undefined,
    });
    return {
      ...reply(message),
      clientId: id,
      version: '1.0',
      supportedConnectionTypes: ['long-polling'],
      successful: true,
    };
  }

  private refusedConnect(message: Message): object {
    return { ...reply(message), error: this.connectError, successful: false };
  }

  private firstConnect(session: Session, message: Message): object {
    session.hasConnected = true;
    return {
      ...reply(message),
      advice: { reconnect: 'retry', interval: 0, timeout: this.longPollMs },
      successful: true,
    };
  }

  private answer(session: Session, message: Message): object {
    if (message.channel === '/meta/disconnect') {
      this.sessions.delete(session.id);
      this.answerPoll(session, [{ clientId: session.id, successful: true }]);
    }
    if (message.channel !== '/meta/subscribe') return { ...reply(message), successful: true };
    return this.subscribe(session, message);
  }

  private subscribe(session: Session, message: Message): object {
    const topic = message.subscription ?? '';
    const replay = message.ext?.replay?.[topic];
    this.subscribes.push({ topic, replay });
    const refusal = this.refusedTopics.get(topic);
    if (refusal !== undefined) return { ...reply(message), error: refusal, successful: false };
    const after = Number(replay ?? -1);
    const isKnown = this.events.some(({ data }) => data.event.replayId === after && after >= this.oldestReplayId);
    if (after >= 0 && !isKnown) {
      const error = `400::The replayId {${replay}} you provided was invalid. Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`;
      return { ...reply(message), error, successful: false };
    }
    session.topics.add(topic);
    if (after !== -1) {
      session.outbox.push(
        ...this.events.filter((event) => event.channel === topic && event.data.event.replayId > after),
      );
    }
    setImmediate(() => this.flush(session));
    return { ...reply(message), successful: true };
  }

  private hold(session: Session, message: Message, answer: (messages: object[]) => void): void {
    const empty = (): void => this.answerPoll(session, [{ clientId: session.id, successful: true }]);
    session.poll = { id: message.id, answer, timer: setTimeout(empty, this.longPollMs) };
    this.flush(session);
  }

  /** If the session has events and an open poll, answers the poll: first the events, then its own answer. */
  private flush(session: Session): void {
    if (session.outbox.length === 0 || session.poll === undefined || this.isSilent) return;
    this.answerPoll(session, [{ clientId: session.id, successful: true }], session.outbox.splice(0));
  }

  private answerPoll(session: Session, connectAnswers: object[], events: StoredEvent[] = []): void {
    const poll = session.poll;
    if (poll === undefined || this.isSilent) return;
    clearTimeout(poll.timer);
    session.poll = undefined;
    poll.answer([...events, ...connectAnswers.map((answer) => ({ channel: '/meta/connect', id: poll.id, ...answer }))]);
  }
}

function reply({ channel, id, clientId, subscription }: Message): object {
  return { channel, id, clientId, subscription };
}

function unknownClient(message: Message): object {
  return {
    ...reply(message),
    advice: { reconnect: 'handshake', interval: 0 },
    error: '403::Unknown client',
    successful: false,
  };
}

function rejected(message: Message): object {
  return {
    ...reply(message),
    advice: { reconnect: 'none', interval: 0 },
    error: '401::Authentication invalid',
    successful: false,
  };
}
