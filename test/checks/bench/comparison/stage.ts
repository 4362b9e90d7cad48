import { setTimeout as delay } from 'node:timers/promises';
import { startRedisServer, type RedisServer } from '../../../support/redis/redis-server.js';
import type { Instance, Subject } from './subject.js';

/**
 * How long an instance has for its subscriptions after it was opened, because the peers do not report when they are
 * ready.
 */
const SUBSCRIBED_MS = 300;

/** What one case has: an empty Redis of its own, and as many instances of the subject as it opens. */
export class Stage {
  private readonly instances: Instance[] = [];

  private constructor(
    readonly redis: RedisServer,
    private readonly subject: Subject,
  ) {}

  /** Runs `act` on a new stage, then closes the instances, for two seconds at most, and ends the server. */
  static async run<T>(subject: Subject, act: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = new Stage(await startRedisServer(), subject);
    try {
      return await act(stage);
    } finally {
      if (stage.redis.state === 'paused') stage.redis.resume();
      const closed = Promise.allSettled(stage.instances.map((instance) => instance.close()));
      await Promise.race([closed, delay(2_000)]); // a peer may wait for a server that is gone
      await stage.redis.stop();
    }
  }

  /** Another instance, as in another process: it shares nothing with the others but Redis. */
  async open(): Promise<Instance> {
    const instance = await this.subject.open(this.redis.url);
    this.instances.push(instance);
    await delay(SUBSCRIBED_MS);
    return instance;
  }
}
