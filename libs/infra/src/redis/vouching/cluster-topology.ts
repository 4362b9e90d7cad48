import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { HostAndPort } from '../connecting/redis-address.js';
import { Topology, type Receiver, type Testimony, type Word } from './topology.js';
import { keyOf, witnessConnection } from './witnesses.js';

/** A line of CLUSTER NODES. */
interface NodeLine {
  readonly id: string;
  readonly flags: readonly string[];
  readonly epoch: number;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/**
 * Masters of a Cluster as witnesses: they decide about each other. Each slot of ours is a place with its own primary.
 */
export class ClusterTopology extends Topology {
  readonly witnessName = 'masters of the Cluster';
  /** Address of a node, as the client names it → its id. */
  private readonly ids = new Map<string, string>();
  private readonly connections = new Map<string, RedisOptions>();

  get places(): number {
    return this.slots.length;
  }

  constructor(
    private readonly client: Cluster,
    private readonly slots: readonly number[],
  ) {
    super();
  }

  /** The masters, and the servers of our slots, which the client may hold for replicas, or for none of its nodes. */
  witnesses(): readonly HostAndPort[] {
    const known = new Map(this.client.nodes('all').map(({ options }) => [keyOf(addressOf(options)), options]));
    const [anyNode] = known.values();
    this.connections.clear();
    for (const { options } of this.client.nodes('master')) this.connections.set(keyOf(addressOf(options)), options);
    for (let place = 0; place < this.places; place++) {
      const server = this.serverOf(place)();
      // Without a node to learn from, user, password and TLS are not known.
      if (server === undefined || anyNode === undefined || this.connections.has(server)) continue;
      this.connections.set(server, known.get(server) ?? { ...anyNode, ...addressIn(server) });
    }
    return [...this.connections.values()].map(addressOf);
  }

  connect(witness: HostAndPort): Redis {
    const options = this.connections.get(keyOf(witness));
    const ours = { commandTimeout: undefined, socketTimeout: undefined, readOnly: false };
    return witnessConnection({ ...options, ...witness, ...ours });
  }

  async ask(redis: Redis, witness: HostAndPort): Promise<Testimony> {
    const nodes = parseNodes((await redis.cluster('NODES')) as string);
    const self = nodes.find(({ flags }) => flags.includes('myself'));
    if (!self) throw new Error('it does not say which node it is');
    this.ids.set(keyOf(witness), self.id);
    const voters = nodes.filter(isVoter);
    return {
      witness: self.id,
      isVoter: isVoter(self),
      // More than half of the masters must vote to replace one, and only masters that hold it for `fail` do.
      needed: Math.max(1, Math.ceil(voters.length / 2)),
      words: this.slots.map((slot) => wordOn(slot, voters)),
    };
  }

  /**
   * Names the server by its address. A node that returns under the same address is vouched for anew: its connection was
   * lost.
   */
  serverOf(place: number): () => string | undefined {
    const slot = this.slots[place] ?? 0;
    return () => this.client.slots[slot]?.[0];
  }

  receiver(place: number): Receiver | undefined {
    const server = this.client.status === 'ready' ? this.serverOf(place)() : undefined;
    const primary = server === undefined ? undefined : this.ids.get(server);
    return primary === undefined ? undefined : { primary, server };
  }

  leave(): boolean {
    if (this.client.status !== 'ready') return false;
    this.client.refreshSlotsCache();
    return true;
  }

  watch(lost: () => void, made: () => void): () => void {
    this.client.on('close', lost).on('-node', lost).on('ready', made).on('+node', made);
    return () => this.client.off('close', lost).off('-node', lost).off('ready', made).off('+node', made);
  }
}

/** The address that the client writes as `host:port`; a host of IPv6 has colons, too. */
function addressIn(server: string): HostAndPort {
  const colon = server.lastIndexOf(':');
  return { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
}

function addressOf({ host, port }: RedisOptions): HostAndPort {
  return { host: host ?? '127.0.0.1', port: port ?? 6379 };
}

/** A master without slots has no vote. */
function isVoter({ flags, ranges }: NodeLine): boolean {
  return flags.includes('master') && ranges.length > 0;
}

function wordOn(slot: number, masters: readonly NodeLine[]): Word | undefined {
  const owner = masters.find(({ ranges }) => ranges.some(([from, to]) => from <= slot && slot <= to));
  // `fail?` is this node's suspicion alone; it votes only when most have agreed on `fail`.
  return owner && { primary: owner.id, epoch: owner.epoch, isFine: !owner.flags.includes('fail'), isReplacing: false };
}

/** `<id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slot>…` (CLUSTER NODES). */
export function parseNodes(text: string): NodeLine[] {
  return text.split('\n').flatMap((line) => {
    const [id, , flags = '', , , , epoch, , ...slots] = line.trim().split(' ');
    if (!id || epoch === undefined) return [];
    const ranges = slots
      .filter((slot) => !slot.startsWith('[')) // a move under way
      .map((slot) => slot.split('-').map(Number))
      .map(([from, to]) => [from as number, to ?? (from as number)] as const);
    return [{ id, flags: flags.split(','), epoch: Number(epoch), ranges }];
  });
}
