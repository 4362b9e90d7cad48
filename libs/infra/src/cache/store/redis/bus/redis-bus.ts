import { Cluster } from 'ioredis';
import { sentence } from '../../../../redis/permission-examination.js';
import { Refusals } from '../../../../redis/refusals.js';
import type { InvalidationNotice, LeaseEnd, Unsubscribe } from '../../../protocol/cache-store.js';
import type { BusConnections } from './bus-connections.js';
import { ClusterBusConnections } from './cluster-bus-connections.js';
import type { Partition, Partitions } from '../partition/partition.js';
import type { RedisConnection } from '../partition/scripts.js';
import { SingleBusConnection } from './single-bus-connection.js';
import { parseBusMessage, parseWakeMessage, type BusInvalidation } from './store-messages.js';

/** Receives the invalidations, and the acknowledgements of L1s, in the order of their arrival. */
export interface BusListeners {
  onInvalidation(partition: Partition, invalidation: BusInvalidation): void;
  onAcknowledgement(member: string, tips: readonly string[]): void;
}

/** The channels that an ACL must grant, and what happens when it does not. */
export interface ChannelAccess {
  /** The patterns of all channels, as an ACL has them behind `&`. */
  readonly patterns: readonly string[];
  /** Called when listening is refused; then publishing may be refused as well. */
  onRefused(reason: string): void;
}

/** The part that health names when the channels are refused. */
const PART = 'the messages of the cache';
/** How long `open` waits until all channels are listened to. */
const OPEN_MS = 1000;

/**
 * The store's messages on connections of their own: ends of leases, invalidations and dropped keys of all partitions,
 * and acknowledgements of L1s. Correctness does not depend on their arrival.
 */
export class RedisBus {
  private readonly connections: BusConnections;
  private isClosed = false;
  /** Lets `open` continue. */
  private changed: () => void = () => undefined;
  private readonly leaseEndListeners = new Set<(end: LeaseEnd) => void>();
  private readonly invalidationListeners = new Set<(notice: InvalidationNotice) => void>();
  private readonly dropListeners = new Set<(keys: readonly string[]) => void>();

  constructor(
    private readonly redis: RedisConnection,
    private readonly partitions: Partitions,
    /** The channel on which L1s acknowledge this process' invalidations. */
    private readonly acknowledgementChannel: string,
    private readonly listeners: BusListeners,
    private readonly access: ChannelAccess,
  ) {
    this.connections = connectionsOf(
      redis,
      (channel, text) => this.receive(channel, text),
      () => this.changed(),
      (text) => this.refused(text),
    );
    this.connections.listenTo(this.partitions.all.flatMap((p) => [p.wakeChannel, p.busChannel]));
    this.connections.listenTo([this.acknowledgementChannel]);
  }

  /**
   * Resolves when all channels are listened to, when a single server is found to be away, or after `OPEN_MS`. In the
   * last two cases it listens as soon as it can.
   */
  async open(): Promise<void> {
    if (this.isClosed) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, OPEN_MS);
      this.changed = () => this.connections.isSettled && resolve();
      this.connections.open();
    });
    clearTimeout(timer);
  }

  close(): void {
    this.isClosed = true;
    this.leaseEndListeners.clear();
    this.invalidationListeners.clear();
    this.dropListeners.clear();
    this.connections.close();
    Refusals.of(this.redis).tell(PART, undefined);
  }

  onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe {
    this.leaseEndListeners.add(listener);
    return () => this.leaseEndListeners.delete(listener);
  }

  onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe {
    this.invalidationListeners.add(listener);
    return () => this.invalidationListeners.delete(listener);
  }

  /** Dropped keys can make long messages, so the bus listens to them only after the first call. */
  onDropped(listener: (keys: readonly string[]) => void): Unsubscribe {
    this.dropListeners.add(listener);
    this.connections.listenTo(this.partitions.all.map((p) => p.dropChannel));
    return () => this.dropListeners.delete(listener);
  }

  /** Reports a refusal, with the line of the ACL that mends it if a permission is missing; undefined: it is over. */
  private refused(text: string | undefined): void {
    if (this.isClosed) return;
    const patterns = this.access.patterns.map((pattern) => `&${pattern}`);
    const isPermission = text?.startsWith('NOPERM') ?? false;
    const rules = /\bchannels?\b/.test(text ?? '') ? patterns : ['+subscribe'];
    const reason = isPermission ? sentence(this.redis, rules) : text;
    Refusals.of(this.redis).tell(PART, reason);
    if (reason !== undefined) this.access.onRefused(reason);
  }

  private receive(channel: string, text: string): void {
    if (text === '') return; // a process tests whether it may publish
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

function connectionsOf(
  redis: RedisConnection,
  ...listening: [
    onMessage: (channel: string, text: string) => void,
    onChange: () => void,
    onRefused: (text: string | undefined) => void,
  ]
): BusConnections {
  return redis instanceof Cluster
    ? new ClusterBusConnections(redis, ...listening)
    : new SingleBusConnection(redis, ...listening);
}

/**
 * Publishes a message so that listeners receive it without delay. In a Cluster a message crosses from node to node on
 * links that delay it by 40 ms (Nagle and the delayed ACK), so it is published, and listened to, at the node of the
 * channel's slot.
 */
export async function publish(redis: RedisConnection, channel: string, text: string): Promise<void> {
  if (redis instanceof Cluster) await redis.eval(PUBLISH_HERE, 1, channel, text);
  else await redis.publish(channel, text);
}

const PUBLISH_HERE = "local channel, text = KEYS[1], ARGV[1]; return redis.call('PUBLISH', channel, text)";
