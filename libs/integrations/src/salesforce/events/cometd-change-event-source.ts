import { setMaxListeners } from 'node:events';
import type { SalesforceConnection } from '../connection/salesforce-connection.js';
import { backOffMs, pause } from './back-off.js';
import { ChangeEventSource, type StartPosition, type TopicHandler, type TopicHealth } from './change-event-source.js';
import { CometdSession, isDailyLimit, type SessionListener, type SubscribeResult } from './cometd/cometd-session.js';
import { type CometdOptions, type ResolvedCometdOptions, resolveCometdOptions } from './cometd.options.js';
import { eventOfCometd } from './cometd/cometd-event.js';
import { watchEntities } from './delivery/entity-watch.js';
import { AFTER_EXPIRY, askForPosition } from './delivery/start-position.js';
import { backOffAfter, endOfSignIn, type StreamEnd, unforeseen } from './delivery/stream-end.js';
import { StreamJournal } from './delivery/stream-journal.js';
import { TopicDelivery } from './delivery/topic-delivery.js';

type Position = (topic: string) => Promise<StartPosition>;

/**
 * What the attempts to subscribe a topic in one session need: when the session ends, `ended` aborts and `over`
 * resolves; `tried` reports that an attempt has succeeded or failed.
 */
interface Attempts {
  readonly ended: AbortSignal;
  readonly over: Promise<void>;
  readonly tried: () => void;
}

/**
 * Change events over CometD (the Streaming API) through jsforce: at least once, in order per topic, from the committed
 * position. A session that fails is discarded, and a new one subscribes after the committed positions. A topic that is
 * refused is tried again in the same session.
 */
export class CometdChangeEventSource extends ChangeEventSource {
  readonly transport = 'cometd';
  private readonly options: ResolvedCometdOptions;
  private journal: StreamJournal;
  private readonly deliveries = new Map<string, TopicDelivery>();
  private stopping = new AbortController();
  private position: Position | undefined;
  private session: CometdSession | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly connection: SalesforceConnection,
    options: CometdOptions = {},
  ) {
    super();
    this.options = resolveCometdOptions(options);
    this.journal = new StreamJournal(this.options.log);
  }

  async start(topics: ReadonlyMap<string, TopicHandler>, position: Position): Promise<void> {
    if (this.position !== undefined) throw new Error('the change event source has been started: stop it first');
    this.position = position;
    this.stopping = new AbortController();
    this.journal = new StreamJournal(this.options.log);
    this.deliveries.clear();
    for (const [topic, handler] of topics) {
      this.deliveries.set(topic, new TopicDelivery(topic, this.transport, handler, this.options, this.journal));
    }
    const { signal } = this.stopping;
    if (topics.size === 0) return;
    await new Promise<void>((attempted) => {
      this.running = this.run(attempted);
    });
    const { connection, options, journal } = this;
    // Over CometD a new permission takes effect at the next subscription. All topics share one session, so all are
    // subscribed again.
    const resubscribe = (): void => void this.session?.close();
    void watchEntities([...this.deliveries.values()], { connection, options, journal, stopping: signal, resubscribe });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    // Stop all deliveries first: no handler may be called while the session disconnects.
    const deliveries = [...this.deliveries.values()].map((delivery) => delivery.stop());
    try {
      await Promise.all([this.session?.close(), this.running, ...deliveries]);
    } finally {
      this.running = undefined;
      this.position = undefined;
    }
  }

  health(): TopicHealth[] {
    return [...this.deliveries.values()].map((delivery) => delivery.health());
  }

  /** Runs one session after the other; resolves only after `stop`. */
  private async run(attempted: () => void): Promise<void> {
    const { signal } = this.stopping;
    let rejectedToken: string | undefined;
    for (let failures = 0; !signal.aborted;) {
      const startedAt = Date.now();
      // `runSession` is not known to reject. An unexpected error is logged and retried like any other.
      const { end, token } = await this.runSession(rejectedToken, attempted).catch((error: unknown) => {
        void this.session?.close().catch(() => undefined);
        this.session = undefined;
        return { end: unforeseen(error), token: undefined };
      });
      attempted();
      if (signal.aborted) return;
      rejectedToken = end.kind === 'auth' ? token : undefined;
      // A session that lasted, or brought more events than fit, was healthy: the next failure starts a new back-off
      // series.
      if (Date.now() - startedAt > this.options.connectBackOff.maxMs || end.kind === 'overflow') failures = 0;
      this.journal.lost(end, this.deliveries.keys());
      for (const delivery of this.deliveries.values()) {
        delivery.lost(end.reason, { isSilent: end.isSilent });
        delivery.reconnecting();
      }
      await pause(backOffMs(failures++, backOffAfter(end.kind, this.options)), signal);
    }
  }

  private async runSession(
    rejectedToken: string | undefined,
    attempted: () => void,
  ): Promise<{ end: StreamEnd; token: string | undefined }> {
    let session: CometdSession;
    let token: string | undefined;
    try {
      const signedIn = await (rejectedToken === undefined
        ? this.connection.signedIn()
        : this.connection.renew(rejectedToken));
      token = signedIn.accessToken ?? undefined;
      session = new CometdSession(signedIn, this.listener(), this.options.watchdogMs);
    } catch (error) {
      return { end: endOfSignIn(error), token };
    }
    this.session = session;
    if (this.stopping.signal.aborted) await session.close(); // `stop` was called during the sign-in
    const ended = new AbortController();
    // One listener per topic waiting for its next attempt, and the one below; Node warns of a leak above ten.
    setMaxListeners(this.deliveries.size + 1, ended.signal);
    const over = untilAborted(ended.signal);
    const attempts = [...this.deliveries.values()].map(
      (delivery) =>
        new Promise<void>(
          (tried) => void this.keepSubscribing(session, delivery, { ended: ended.signal, over, tried }),
        ),
    );
    void Promise.all(attempts).then(attempted);
    const end = await session.ended;
    ended.abort();
    await session.close();
    this.session = undefined;
    return { end, token };
  }

  /** Subscribes one topic; retries with back-off if Salesforce refuses or its position cannot be read. */
  private async keepSubscribing(
    session: CometdSession,
    delivery: TopicDelivery,
    { ended, over, tried }: Attempts,
  ): Promise<void> {
    let isExpired = false;
    for (let failures = 0; !ended.aborted;) {
      // The events of the former session are handed over first, so that the committed position lies behind them.
      if (delivery.isBusy) await Promise.race([delivery.drained(), over]);
      if (ended.aborted) return;
      delivery.connecting();
      const result = await this.subscribe(session, delivery, isExpired, ended).catch(
        (error: unknown): SubscribeResult => ({ status: 'refused', reason: unforeseen(error).reason }),
      );
      if (result.status === 'position-expired' && !isExpired) {
        isExpired = true;
        delivery.lost(result.reason);
        continue;
      }
      tried();
      if (result.status === 'subscribed' || result.status === 'ended') return;
      delivery.lost(result.reason);
      this.journal.topicRefused(delivery.topic, result.reason);
      const { refusedBackOff, connectBackOff } = this.options;
      await pause(backOffMs(failures++, isDailyLimit(result.reason) ? refusedBackOff : connectBackOff), ended);
    }
  }

  private async subscribe(
    session: CometdSession,
    delivery: TopicDelivery,
    isExpired: boolean,
    ended: AbortSignal,
  ): Promise<SubscribeResult> {
    const asked = isExpired ? AFTER_EXPIRY : await askForPosition(this.position as Position, delivery.topic, ended);
    if (ended.aborted) return { status: 'ended' };
    if ('trouble' in asked) return { status: 'refused', reason: asked.trouble };
    const { start, gap } = asked;
    return session.subscribe(delivery.topic, start, () => {
      this.journal.topicLive(delivery.topic);
      delivery.subscribed(gap);
    });
  }

  private listener(): SessionListener {
    return {
      onSeen: () => this.deliveries.forEach((delivery) => delivery.seen()),
      onKeepAlive: () => this.deliveries.forEach((delivery) => delivery.keptAlive()),
      // Messages of channels without a subscription are ignored.
      onData: (topic, data) => this.deliveries.get(topic)?.offer(eventOfCometd(topic, data)) ?? true,
    };
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
