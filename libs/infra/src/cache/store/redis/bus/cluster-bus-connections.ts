import { Command, type Cluster, type RedisOptions } from 'ioredis';
import { LastingRedis, retryDelayMs } from '../../../../redis/lasting-redis.js';
import type { BusConnections } from './bus-connections.js';
import { BusListener, LISTENING, type OnMessage, type OnRefused } from './bus-listener.js';

/** How often the slot map is compared with the nodes listened to, besides at every refresh of the map by the client. */
const LOOK_MS = 250;
/** A node without a connection for this long is avoided for `AVOID_MS`; then it is tried again. */
const PATIENCE_MS = 1000;
const AVOID_MS = 5000;

interface NodeListener {
  readonly listener: BusListener;
  /** When it was last seen connected, or was created. */
  awaySince: number;
}

/**
 * Listens to each channel at the master of its slot: scripts run and publish there, so messages need not cross from
 * node to node. When a slot moves or a node is lost, it listens elsewhere; while the master is away, any other node
 * serves, because nodes forward messages to each other, with a delay. It leaves a node only once it listens at the new
 * one, and ignores messages of a channel from any node but the routed one. An invalidation that is lost in a change
 * shows as a gap when the next one comes.
 */
export class ClusterBusConnections implements BusConnections {
  private readonly slots = new Map<string, number>();
  private readonly nodes = new Map<string, NodeListener>();
  /** By channel: the listener whose messages count. It changes once the newly planned one listens. */
  private readonly routes = new Map<string, BusListener>();
  /** Unreachable nodes, and since when they are avoided. */
  private readonly avoided = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly follow = () => this.plan();

  constructor(
    private readonly cluster: Cluster,
    private readonly onMessage: OnMessage,
    /** Called when `isSettled` may have changed. */
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

  /** Plans the node of each channel. A channel keeps its old node until the new one listens. */
  private plan(): void {
    if (this.isClosed) return;
    this.avoidWhatIsAway();
    const planned = new Map<string, Set<string>>();
    for (const [channel, slot] of this.slots) {
      const node = this.nodeFor(slot);
      if (node === undefined) return; // the slot map is not complete yet
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

/** The slot that the client of the cluster computes for a key of this name. */
function slotOf(channel: string): number {
  return Number(new Command('get', [channel]).getSlot());
}
