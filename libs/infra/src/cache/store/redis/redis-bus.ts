import { Cluster } from 'ioredis';
import type { InvalidationNotice, LeaseEnd, Unsubscribe } from '../cache-store.js';
import type { Partition, Partitions } from './partition.js';
import type { RedisConnection } from './scripts.js';
import { parseBusMessage, parseWakeMessage, type BusInvalidation } from './store-messages.js';

/** Who hears what concerns L1s, in the order in which it arrives. */
export interface BusListeners {
  onInvalidation(partition: Partition, invalidation: BusInvalidation): void;
  onAcknowledgement(member: string, tips: readonly string[]): void;
}

const OPEN_MS = 1000;
const RETRY_MS = 1000;

/**
 * The store's messages, on a connection of their own: ends of leases and invalidations of all partitions. They spare
 * waiting; nothing depends on their arrival.
 */
export class RedisBus {
  private readonly subscriber: RedisConnection;
  private isClosed = false;
  private retry: NodeJS.Timeout | undefined;
  private readonly leaseEndListeners = new Set<(end: LeaseEnd) => void>();
  private readonly invalidationListeners = new Set<(notice: InvalidationNotice) => void>();
  private readonly dropListeners = new Set<(keys: readonly string[]) => void>();

  constructor(
    redis: RedisConnection,
    private readonly partitions: Partitions,
    /** Where the L1s' acknowledgements of this process' invalidations arrive. */
    private readonly acknowledgementChannel: string,
    private readonly listeners: BusListeners,
  ) {
    this.subscriber = duplicate(redis);
    this.subscriber.on('error', () => undefined); // the command connection reports the outage; this one just reconnects
    this.subscriber.on('message', (channel: string, text: string) => this.receive(channel, text));
  }

  /** Resolves when subscribed, or soon if the server is away: then it subscribes as soon as that is back. */
  async open(): Promise<void> {
    if (this.isClosed) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, OPEN_MS);
      // Only when it is ready: a SUBSCRIBE that overtakes the client's ready check is forgotten by it (seen with 5.11.1).
      this.subscriber.on('ready', () => void this.subscribe().finally(resolve));
      this.subscriber.once('close', resolve);
      this.subscriber.connect().catch(() => undefined); // its status tells, and it tries again by itself
    });
    clearTimeout(timer);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
    this.leaseEndListeners.clear();
    this.invalidationListeners.clear();
    this.dropListeners.clear();
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

  /** Names of what fell can be long, so they are only listened to if somebody wants them. */
  onDropped(listener: (keys: readonly string[]) => void): Unsubscribe {
    this.dropListeners.add(listener);
    if (this.subscriber.status === 'ready') void this.subscribe();
    return () => this.dropListeners.delete(listener);
  }

  private async subscribe(): Promise<void> {
    const channels = this.partitions.all.flatMap((p) => [p.wakeChannel, p.busChannel]);
    channels.push(this.acknowledgementChannel);
    if (this.dropListeners.size > 0) channels.push(...this.partitions.all.map((p) => p.dropChannel));
    try {
      await this.subscriber.subscribe(...channels);
    } catch {
      // If the connection was lost, the next one subscribes; if it was not, the server refused for now.
      if (this.isClosed || this.subscriber.status !== 'ready') return;
      this.retry = setTimeout(() => void this.subscribe(), RETRY_MS).unref();
    }
  }

  private receive(channel: string, text: string): void {
    if (channel === this.acknowledgementChannel) {
      const [member = '', ...tips] = text.split(' ');
      this.listeners.onAcknowledgement(member, tips);
      return;
    }
    if (channel.endsWith(':dr')) {
      const keys = text.split('\0');
      for (const listener of this.dropListeners) listener(keys);
      return;
    }
    const wake = channel.endsWith(':wk') ? parseWakeMessage(text) : undefined;
    if (wake) for (const listener of this.leaseEndListeners) listener(wake);
    const invalidation = channel.endsWith(':bus') ? parseBusMessage(text) : undefined;
    const partition = invalidation && this.partitions.all.find((p) => p.busChannel === channel);
    if (!partition) return;
    this.listeners.onInvalidation(partition, invalidation);
    const notice: InvalidationNotice = {
      dependencies: invalidation.dependencies,
      isAfter: (key, start) => this.partitions.of(key) === partition && invalidation.clock > start.clock,
    };
    for (const listener of this.invalidationListeners) listener(notice);
  }
}

/** A second connection to the same place, for SUBSCRIBE only. It may idle for as long as there is nothing to tell. */
function duplicate(redis: RedisConnection): RedisConnection {
  const behaviour = { lazyConnect: true, autoResubscribe: false };
  if (redis instanceof Cluster) return redis.duplicate([], behaviour);
  return redis.duplicate({ ...behaviour, socketTimeout: undefined });
}
