import { Command, type Cluster, type RedisOptions } from 'ioredis';
import { LastingRedis } from '../../../redis/lasting-redis.js';
import { retryDelayMs } from '../../../redis/retry-delay.js';
import type { BusConnections } from './bus-connections.js';
import { BusListener, LISTENING, type OnMessage, type OnRefused } from './bus-listener.js';

/** How often the map of slots is compared with where channels are listened to; the client learns of a move sooner. */
const LOOK_MS = 250;
/** A node to which no connection could be had for so long is done without; after the longer time it is tried again. */
const PATIENCE_MS = 1000;
const AVOID_MS = 5000;

interface NodeListener {
  readonly listener: BusListener;
  /** Since when it has had no connection. */
  awaySince: number;
}

/**
 * Listens to each channel at the node that owns its slot: a script that runs there publishes there, and its messages arrive
 * without crossing from node to node. When a slot moves or a node is lost, the channel is listened to elsewhere; any node
 * will do until the owner is known and there, for they tell each other, only later. A channel is left at one node when it is
 * listened to at the other; what comes from where it is not listened to any more is not handed on. What may be missed is
 * seen as a gap by whom it concerns.
 */
export class ClusterBusConnections implements BusConnections {
  private readonly slots = new Map<string, number>();
  private readonly nodes = new Map<string, NodeListener>();
  /** Whose messages of this channel count: the last that has begun to listen to it as planned. */
  private readonly routes = new Map<string, BusListener>();
  /** Nodes that could not be reached, and when. */
  private readonly avoided = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly follow = () => this.plan();

  constructor(
    private readonly cluster: Cluster,
    private readonly onMessage: OnMessage,
    /** May have made a difference to `isSettled`. */
    private readonly onChange: () => void,
    private readonly onRefused: OnRefused,
  ) {}

  get isSettled(): boolean {
    return [...this.slots.keys()].every((channel) => this.routes.get(channel)?.isListeningTo(channel));
  }

  open(): void {
    this.cluster.on('refresh', this.follow);
    this.timer = setInterval(this.follow, LOOK_MS).unref();
    this.plan();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    this.cluster.off('refresh', this.follow);
    for (const { listener } of this.nodes.values()) listener.close();
    this.nodes.clear();
  }

  listenTo(channels: readonly string[]): void {
    for (const channel of channels) this.slots.set(channel, slotOf(channel));
    if (this.timer) this.plan();
  }

  /** Where each channel should be listened to now. Where it is listened to stays until it is there. */
  private plan(): void {
    if (this.isClosed) return;
    this.avoidWhatIsAway();
    const planned = new Map<string, Set<string>>();
    for (const [channel, slot] of this.slots) {
      const node = this.nodeFor(slot);
      if (node === undefined) return; // the cluster has not told yet: it will
      planned.set(node, (planned.get(node) ?? new Set()).add(channel));
    }
    for (const node of planned.keys()) this.listenerAt(node);
    for (const [node, { listener }] of [...this.nodes]) {
      const channels = planned.get(node) ?? new Set();
      for (const channel of channels) if (listener.isListeningTo(channel)) this.routes.set(channel, listener);
      const kept = [...this.routes].flatMap(([channel, at]) => (at === listener ? [channel] : []));
      if (channels.size + kept.length > 0) listener.listenTo(new Set([...channels, ...kept]));
      else {
        this.nodes.delete(node);
        listener.close();
      }
    }
  }

  private nodeFor(slot: number): string | undefined {
    const owner = this.cluster.slots[slot]?.[0];
    if (owner === undefined || !this.avoided.has(owner)) return owner;
    const others = this.cluster.nodes().map(({ options }) => `${options.host}:${options.port}`);
    const usable = others.filter((node) => !this.avoided.has(node));
    return usable.find((node) => this.nodes.get(node)?.listener.isConnected) ?? usable[0] ?? owner;
  }

  private avoidWhatIsAway(): void {
    const now = performance.now();
    for (const [node, since] of this.avoided) if (now - since > AVOID_MS) this.avoided.delete(node);
    for (const [node, state] of this.nodes) {
      if (state.listener.isConnected) state.awaySince = now;
      else if (now - state.awaySince > PATIENCE_MS && !this.avoided.has(node)) this.avoided.set(node, now);
    }
  }

  private listenerAt(node: string): void {
    if (this.nodes.has(node)) return;
    const colon = node.lastIndexOf(':');
    const options: RedisOptions = {
      ...this.cluster.options.redisOptions,
      ...LISTENING,
      host: node.slice(0, colon),
      port: Number(node.slice(colon + 1)),
      retryStrategy: retryDelayMs,
    };
    const listener: BusListener = new BusListener(
      new LastingRedis(undefined, options),
      (channel, text) => {
        if (this.routes.get(channel) === listener) this.onMessage(channel, text);
      },
      () => {
        this.plan();
        this.onChange();
      },
      this.onRefused,
    );
    this.nodes.set(node, { listener, awaySince: performance.now() });
    listener.open();
  }
}

/** As the cluster's client computes it for a key of this name. */
function slotOf(channel: string): number {
  return Number(new Command('get', [channel]).getSlot());
}
