import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { entry } from '@bff/infra/cache/dependencies';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { RedisConsumerLeases } from '@bff/infra/fleet/redis/redis-consumer-leases';
import { RedisNoticeBoard } from '@bff/infra/notices/redis/redis-notice-board';
import { createRedisClient, type RedisClient, type RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import { quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';

/**
 * How long one check may wait for a message. A broken connection delivers none, so this only has to exceed a busy
 * machine's delay.
 */
const HEAR_MS = 1_000;
const READ_EVERY_MS = 20;

/**
 * Every Redis connection of a process: for commands (consumer leases included), for the bus, and for the notice board.
 */
export class ConnectionsOfAProcess {
  readonly redis: RedisClient;
  readonly store: RedisCacheStore;
  readonly board: RedisNoticeBoard;
  readonly leases: RedisConsumerLeases;
  private readonly heard = new Set<string>();
  private readonly closing = new AbortController();
  private reading: Promise<void> | undefined;

  constructor(options: RedisConnectionOptions, appName: string, partitions = 2) {
    this.redis = createRedisClient({ commandTimeoutMs: 300, ...options });
    // This class checks connections, not whether a primary may be believed.
    this.store = new RedisCacheStore({ redis: this.redis, appName, partitions, onSplit: 'serve' });
    this.board = new RedisNoticeBoard(this.redis, appName);
    this.leases = new RedisConsumerLeases(this.redis, appName);
  }

  async open(): Promise<void> {
    this.store.onInvalidation(({ dependencies }) => {
      if (dependencies !== '*') dependencies.forEach((dependency) => this.heard.add(dependency));
    });
    this.board.follow({ onNotice: ({ name }) => this.heard.add(name), onLost: () => undefined });
    await this.store.open();
    this.reading = this.readOn();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.reading;
    await this.board.close();
    await this.store.close();
    await quitRedis(this.redis, 1_000);
  }

  /** The connections that do not work, tested with messages from `other`; empty if all work. */
  async sick(other: ConnectionsOfAProcess): Promise<string[]> {
    const works: [string, Promise<boolean>][] = [
      ['data', this.store.read('a').then(() => this.store.state().status === 'up')],
      ['leases', this.leases.feedAges().then(() => true)],
      ['bus', this.hears(entry(randomUUID()), (dependency) => other.store.invalidate([dependency]))],
      ['notices', this.hears(randomUUID(), (name) => other.board.publish([{ name, audience: null }]))],
    ];
    const looks = works.map(async ([name, look]) => ((await look.catch(() => false)) ? [] : [name]));
    return (await Promise.all(looks)).flat();
  }

  /** Keeps the data connection in use, as in a serving process: an idle connection does not notice that it hangs. */
  private async readOn(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.store.read('a').catch(() => undefined); // Redis is away now, which `sick` reports
      await delay(READ_EVERY_MS);
    }
  }

  private async hears<T extends string>(word: T, tell: (word: T) => Promise<unknown>): Promise<boolean> {
    const deadline = performance.now() + HEAR_MS;
    await tell(word);
    while (!this.heard.has(word) && performance.now() < deadline) await delay(5);
    return this.heard.delete(word);
  }
}
