import { Cluster } from 'ioredis';
import type { InvalidationNotice, LeaseEnd, Unsubscribe } from '../cache-store.js';
import type { Partitions } from './partition.js';
import type { RedisConnection } from './scripts.js';
import { parseBusMessage, parseWakeMessage } from './store-messages.js';

/**
 * The store's messages, on a connection of their own: ends of leases and invalidations of all partitions. They spare
 * waiting; nothing depends on their arrival.
 */
export class RedisBus {
  private readonly subscriber: RedisConnection;
  private readonly leaseEndListeners = new Set<(end: LeaseEnd) => void>();
  private readonly invalidationListeners = new Set<(notice: InvalidationNotice) => void>();

  constructor(
    redis: RedisConnection,
    private readonly partitions: Partitions,
  ) {
    this.subscriber = duplicate(redis);
    this.subscriber.on('error', () => undefined); // the command connection reports the outage; this one just reconnects
    this.subscriber.on('message', (channel: string, text: string) => this.receive(channel, text));
  }

  /** Subscribes; if the server is away, as soon as it is back. */
  async open(): Promise<void> {
    const channels = this.partitions.all.flatMap((p) => [p.wakeChannel, p.busChannel]);
    const subscribed = this.subscriber.subscribe(...channels).catch(() => undefined);
    const away = new Promise((resolve) => this.subscriber.once('close', resolve));
    await Promise.race([subscribed, away]);
  }

  close(): void {
    this.leaseEndListeners.clear();
    this.invalidationListeners.clear();
    this.subscriber.disconnect();
  }

  onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe {
    this.leaseEndListeners.add(listener);
    return () => this.leaseEndListeners.delete(listener);
  }

  onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe {
    this.invalidationListeners.add(listener);
    return () => this.invalidationListeners.delete(listener);
  }

  private receive(channel: string, text: string): void {
    const wake = channel.endsWith(':wk') ? parseWakeMessage(text) : undefined;
    if (wake) for (const listener of this.leaseEndListeners) listener(wake);
    const invalidation = channel.endsWith(':bus') ? parseBusMessage(text) : undefined;
    if (!invalidation) return;
    const notice: InvalidationNotice = {
      dependencies: invalidation.dependencies,
      isAfter: (key, start) => this.partitions.of(key).busChannel === channel && invalidation.clock > start.clock,
    };
    for (const listener of this.invalidationListeners) listener(notice);
  }
}

/** A second connection to the same place, for SUBSCRIBE only: it may queue, because it holds a handful of channels. */
function duplicate(redis: RedisConnection): RedisConnection {
  const options = { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true, lazyConnect: false };
  if (redis instanceof Cluster) return redis.duplicate([], { ...options, redisOptions: { ...options } });
  const { commandTimeout: _commandTimeout, ...rest } = redis.options;
  return redis.duplicate({ ...rest, ...options });
}
