import type { Redis, RedisOptions } from 'ioredis';

/** Receives a message of a channel. */
export type OnMessage = (channel: string, text: string) => void;
/** Learns why a connected server refused a subscription; undefined: it accepted one. */
export type OnRefused = (text: string | undefined) => void;

/** How long after a failed subscription the next attempt follows. */
const RETRY_MS = 1000;
/**
 * Interval of beats. A beat sends a ping unless one is unanswered: without pings, silence would not show whether the
 * server of an idle connection still lives.
 */
const BEAT_MS = 1000;
/** A connection is dropped at the first beat that comes this long after an unanswered ping. */
const SILENCE_MS = 2000;

/** Options in which a connection for SUBSCRIBE differs from one for commands. */
export const LISTENING: Partial<RedisOptions> = {
  lazyConnect: true,
  autoResubscribe: false,
  enableOfflineQueue: false,
  socketTimeout: undefined,
  // The connection is given up before a ping reaches this timeout.
  commandTimeout: SILENCE_MS + BEAT_MS,
  // A connection that was given up for silence does not confirm its end either, so this is short.
  disconnectTimeout: 100,
};

/**
 * Listens to the requested channels on one connection, until it is closed. It subscribes anew after each loss, and
 * drops a connection whose server has been silent for two to three seconds, because that server hangs or has vanished.
 */
export class BusListener {
  private wanted: ReadonlySet<string> = new Set();
  private readonly subscribed = new Set<string>();
  private beat: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  /** When the unanswered ping was sent; undefined if there is none, or if any message has come since. */
  private askedAt: number | undefined;
  private isClosed = false;

  constructor(
    private readonly redis: Redis,
    onMessage: OnMessage,
    /** Called when it listens to more channels, or has lost all. */
    private readonly onChange: () => void,
    private readonly onRefused: OnRefused,
  ) {
    redis.on('error', () => undefined); // the command connection reports the outage; this one just reconnects
    redis.on('message', (channel: string, text: string) => {
      this.askedAt = undefined;
      onMessage(channel, text);
    });
    // Only when ready: the client forgets a SUBSCRIBE that overtakes its ready check (seen with 5.11.1).
    redis.on('ready', () => void this.subscribe());
    redis.on('close', () => {
      this.askedAt = undefined;
      this.subscribed.clear();
      this.onChange();
    });
  }

  open(): void {
    this.beat = setInterval(() => this.askForLife(), BEAT_MS).unref();
    this.redis.connect().catch(() => undefined); // its status shows a failure, and the client retries by itself
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.beat);
    clearTimeout(this.retry);
    this.redis.disconnect();
  }

  /** Replaces the set of channels; it takes effect as soon as there is a connection. */
  listenTo(channels: ReadonlySet<string>): void {
    this.wanted = channels;
    void this.subscribe();
  }

  isListeningTo(channel: string): boolean {
    return this.subscribed.has(channel);
  }

  get isConnected(): boolean {
    return this.redis.status === 'ready';
  }

  /** The connection has failed or was lost; a retry follows unless it was closed. */
  get isAway(): boolean {
    return this.redis.status === 'reconnecting' || this.redis.status === 'end';
  }

  private async subscribe(): Promise<void> {
    if (this.isClosed || !this.isConnected) return;
    const more = [...this.wanted].filter((channel) => !this.subscribed.has(channel));
    const less = [...this.subscribed].filter((channel) => !this.wanted.has(channel));
    less.forEach((channel) => this.subscribed.delete(channel));
    try {
      if (less.length > 0) await this.redis.unsubscribe(...less);
      if (more.length === 0) return;
      await this.redis.subscribe(...more);
      more.forEach((channel) => this.subscribed.add(channel));
      this.onRefused(undefined);
      this.onChange();
    } catch (error) {
      if (this.isConnected) this.onRefused((error as Error).message);
      // If the connection was lost, the next one subscribes when it is ready; otherwise this retry does.
      clearTimeout(this.retry);
      this.retry = setTimeout(() => void this.subscribe(), RETRY_MS).unref();
    }
  }

  private askForLife(): void {
    if (!this.isConnected) return;
    const now = performance.now();
    const { askedAt } = this;
    if (askedAt === undefined) {
      this.askedAt = now;
      const alive = () => (this.askedAt = undefined);
      // A refusal is an answer, too. Any other failure leaves the ping unanswered.
      this.redis.ping().then(alive, (error: Error) => void (error.name === 'ReplyError' && alive()));
    } else if (now - askedAt >= SILENCE_MS) {
      // Timers run before sockets are read: after a stall of this process the answer may still be unread.
      setImmediate(() => {
        if (this.askedAt === askedAt && !this.isClosed) this.redis.disconnect(true);
      });
    }
  }
}
