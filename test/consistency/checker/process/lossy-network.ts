import type { RedisClient } from '@bff/infra/redis/redis-client';

/** What this needs of a connection on which a process listens. */
export interface Subscriber {
  readonly stream?: { pause(): void; destroy(): void };
  emit(event: string | symbol, ...args: unknown[]): boolean;
}

const LOST_SHARE = 1 / 3;

/** Loses what a process says or should hear, as a network may, without touching the code that speaks and listens. */
export class LossyNetwork {
  private muteUntil = 0;
  private dropUntil = 0;
  private isDropping = false;

  constructor(
    redis: RedisClient,
    private readonly subscribers: () => readonly Subscriber[],
    private readonly random: () => number,
  ) {
    const { publish } = redis;
    // The one thing that a process publishes itself: that its L1 has followed.
    redis.publish = (channel: string | Buffer, message: string | Buffer) =>
      performance.now() < this.muteUntil ? Promise.resolve(0) : publish.call(redis, channel, message);
  }

  /** For this time nothing that the process publishes arrives. */
  mute(ms: number): void {
    this.muteUntil = performance.now() + ms;
  }

  /** For this time one message in three never arrives, while the connection stands: a Redis Cluster may lose some like that. */
  dropSome(ms: number): void {
    this.dropUntil = performance.now() + ms;
    if (this.isDropping) return;
    this.isDropping = true;
    for (const subscriber of this.subscribers()) {
      const { emit } = subscriber;
      subscriber.emit = (event, ...args) => {
        const isLost = event === 'message' && performance.now() < this.dropUntil && this.random() < LOST_SHARE;
        return isLost || emit.call(subscriber, event, ...args);
      };
    }
  }

  /** For this time nothing arrives; then the connections break, with all that was on its way. */
  deafen(ms: number): void {
    for (const { stream } of this.subscribers()) {
      stream?.pause();
      setTimeout(() => stream?.destroy(), ms);
    }
  }
}
