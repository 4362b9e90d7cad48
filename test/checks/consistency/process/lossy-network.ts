import type { RedisClient } from '@bff/infra/redis/redis-client';
import { Cluster } from 'ioredis';

/** The part of a bus connection that `LossyNetwork` uses. */
export interface Subscriber {
  readonly stream?: { pause(): void; destroy(): void };
  emit(event: string | symbol, ...args: unknown[]): boolean;
}

const LOST_SHARE = 1 / 3;

/** Loses messages that a process sends or should receive, without a change to the code that sends and receives. */
export class LossyNetwork {
  private muteUntil = 0;
  private dropUntil = 0;
  private readonly dropping = new WeakSet<Subscriber>();

  constructor(
    redis: RedisClient,
    private readonly subscribers: () => readonly Subscriber[],
    private readonly random: () => number,
  ) {
    // A process itself publishes one thing only: that its L1 has followed. On a Cluster it does so by a script.
    const isPublication = (script: unknown) => !(redis instanceof Cluster) || String(script).includes("'PUBLISH'");
    const send = redis instanceof Cluster ? 'eval' : 'publish';
    const original = (redis[send] as (...args: unknown[]) => Promise<unknown>).bind(redis);
    const lossy = (...args: unknown[]) =>
      performance.now() < this.muteUntil && isPublication(args[0]) ? Promise.resolve(0) : original(...args);
    Object.assign(redis, { [send]: lossy });
  }

  /** For this time no message that the process publishes arrives. */
  mute(ms: number): void {
    this.muteUntil = performance.now() + ms;
  }

  /** For this time about one message in three is lost while the connection stands, as can happen in a Redis Cluster. */
  dropSome(ms: number): void {
    this.dropUntil = performance.now() + ms;
    for (const subscriber of this.subscribers()) {
      if (this.dropping.has(subscriber)) continue; // an earlier call has replaced its `emit`
      this.dropping.add(subscriber);
      const { emit } = subscriber;
      subscriber.emit = (event, ...args) => {
        const isLost = event === 'message' && performance.now() < this.dropUntil && this.random() < LOST_SHARE;
        return isLost || emit.call(subscriber, event, ...args);
      };
    }
  }

  /** For this time no message arrives on the present connections; then they break, and pending messages are lost. */
  deafen(ms: number): void {
    for (const { stream } of this.subscribers()) {
      stream?.pause();
      setTimeout(() => stream?.destroy(), ms);
    }
  }
}
