import type { Redis, RedisOptions } from 'ioredis';

/** What arrived on a channel. */
export type OnMessage = (channel: string, text: string) => void;
/** Why a server that is there does not let it listen; undefined: it does. */
export type OnRefused = (text: string | undefined) => void;

const RETRY_MS = 1000;
/** A connection for listening may idle for as long as there is nothing to tell, so it is asked for a sign of life. */
const BEAT_MS = 1000;
const SILENCE_MS = 2000;

/** How a connection for SUBSCRIBE differs from one for commands. */
export const LISTENING: Partial<RedisOptions> = {
  lazyConnect: true,
  autoResubscribe: false,
  enableOfflineQueue: false,
  socketTimeout: undefined,
  // A sign of life that is later than the silence allowed has been given up by then.
  commandTimeout: SILENCE_MS + BEAT_MS,
  // What was given up because it is silent confirms no end either.
  disconnectTimeout: 100,
};

/**
 * One connection that listens to the channels asked for, for as long as it lives: it subscribes anew whenever it was lost,
 * and gives itself up when its server has been silent for two to three seconds, as one does that hangs or has vanished.
 */
export class BusListener {
  private wanted: ReadonlySet<string> = new Set();
  private readonly subscribed = new Set<string>();
  private beat: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  /** When the sign of life was asked for that is still due. */
  private askedAt: number | undefined;
  private isClosed = false;

  constructor(
    private readonly redis: Redis,
    onMessage: OnMessage,
    /** It listens to more channels, or to none any more. */
    private readonly onChange: () => void,
    private readonly onRefused: OnRefused,
  ) {
    redis.on('error', () => undefined); // the command connection reports the outage; this one just reconnects
    redis.on('message', (channel: string, text: string) => {
      this.askedAt = undefined;
      onMessage(channel, text);
    });
    // Only when it is ready: a SUBSCRIBE that overtakes the client's ready check is forgotten by it (seen with 5.11.1).
    redis.on('ready', () => void this.subscribe());
    redis.on('close', () => {
      this.askedAt = undefined;
      this.subscribed.clear();
      this.onChange();
    });
  }

  open(): void {
    this.beat = setInterval(() => this.askForLife(), BEAT_MS).unref();
    this.redis.connect().catch(() => undefined); // its status tells, and it tries again by itself
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.beat);
    clearTimeout(this.retry);
    this.redis.disconnect();
  }

  /** From now on exactly these, as soon as there is a connection. */
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

  /** It has failed to connect, or was cut off, and will try again. */
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
      // If the connection was lost, the next one subscribes; if it was not, the server refused for now.
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
      // To be refused is an answer, too. Without any, what is still due tells.
      this.redis.ping().then(alive, (error: Error) => void (error.name === 'ReplyError' && alive()));
    } else if (now - askedAt >= SILENCE_MS) {
      // Timers run before sockets are read: after a stall of this process the answer may lie there unread.
      setImmediate(() => {
        if (this.askedAt === askedAt && !this.isClosed) this.redis.disconnect(true);
      });
    }
  }
}
