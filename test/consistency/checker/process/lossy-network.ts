import type { RedisClient } from '@bff/infra/redis/redis-client';

/** What this needs of the connection on which a process listens. */
export interface Subscriber {
  readonly stream?: { pause(): void; destroy(): void };
}

/** Loses what a process says or should hear, as a network may, without touching the code that speaks and listens. */
export class LossyNetwork {
  private muteUntil = 0;

  constructor(
    redis: RedisClient,
    private readonly subscriber: () => Subscriber,
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

  /** For this time nothing arrives; then the connection breaks, with all that was on its way. */
  deafen(ms: number): void {
    const { stream } = this.subscriber();
    stream?.pause();
    setTimeout(() => stream?.destroy(), ms);
  }
}
