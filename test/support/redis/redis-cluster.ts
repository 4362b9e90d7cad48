import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { redisCommand, redisFacts } from './redis-command.js';
import { startRedisServer, type RedisServer } from './redis-server.js';

export interface RedisClusterOptions {
  /** How long a master may be silent before it is replaced. @default 1000 */
  readonly nodeTimeoutMs?: number;
  /** Further arguments of each redis-server. */
  readonly args?: readonly string[];
  /** @default redis-server, looked up in PATH */
  readonly command?: string;
  /** @default 1 */
  readonly replicasPerMaster?: number;
  /** Lines of each node's configuration file. @default no file */
  readonly config?: readonly string[];
  /**
   * For each node: the bus port announced to the others, and the address from which it calls them. @default the port on
   * which its bus listens, and 127.0.0.1
   */
  readonly announced?: readonly { readonly busPort: number; readonly callsFrom: string }[];
  /** Runs when all nodes have started and none knows another. */
  readonly beforeMeeting?: (nodes: readonly RedisServer[]) => Promise<void>;
}

/** How a slot moves. */
export interface SlotMove {
  /** The order in which its keys move. @default listed: as Redis lists them */
  readonly order?: 'listed' | 'reversed' | 'random' | ((keys: readonly string[]) => readonly string[]);
  /**
   * Whether a key of the same name at the destination is overwritten, as `redis-cli --cluster reshard
   * --cluster-replace` does. @default false
   */
  readonly replace?: boolean;
  /**
   * Runs before each key moves, and once more, without a key, when all have moved but the slot has not changed hands
   * yet.
   */
  readonly beforeKey?: (key: string | undefined, movedCount: number) => void | Promise<void>;
}

/** A real Redis Cluster on 127.0.0.1: three masters that own a third of the slots each, and their replicas. */
export interface RedisCluster {
  /** Masters and replicas; each can be killed, paused, resumed and restarted. The first three started as masters. */
  readonly nodes: readonly RedisServer[];
  /** For REDIS_CLUSTER_NODES and `clusterNodes`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The owner of this slot (or of the slot of this key), according to the running nodes. */
  masterOf(slotOrKey: number | string): Promise<RedisServer>;
  /** A running replica of this master. */
  replicaOf(master: RedisServer): Promise<RedisServer>;
  /** CLUSTER FAILOVER: resolves when every running node sees the replica as master. */
  failover(replica: RedisServer): Promise<void>;
  /** Moves a slot key by key to another master, step by step as redis-cli does: IMPORTING, MIGRATING, MIGRATE, NODE. */
  migrateSlot(slot: number, to: RedisServer, move?: SlotMove): Promise<void>;
  /**
   * Resolves when all running nodes consider each other alive, agree on the owner of each slot and on the master of each
   * running replica, and report the state `ok`, and all running replicas are linked to their masters.
   */
  waitUntilWhole(withinMs?: number): Promise<void>;
  /** Ends every node and removes its folder. */
  stop(): Promise<void>;
}

const MASTERS = 3;
const SLOTS = 16_384;
/**
 * How long the nodes may take for a step, such as being whole: with six nodes on a loaded machine. On an idle machine a
 * start takes two seconds.
 */
const WHOLE_MS = 60_000;
/** Maximum number of rounds in one slot move; each round moves up to `KEYS_PER_ROUND` keys. */
const MIGRATE_ROUNDS_MAX = 100_000;
const KEYS_PER_ROUND = 1_000;

/** The slot of a key, hash tags included (cluster specification, "Key distribution model": CRC-16/XMODEM). */
export function slotOf(key: string): number {
  const tag = /^[^{]*\{([^}]*)\}/.exec(key)?.[1] || key; // an empty tag does not count
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}

/**
 * Guarantees a whole cluster when the promise resolves, and no process left when this process ends, however it ends.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { nodeTimeoutMs = 1_000, replicasPerMaster = 1, args = [], command, config, announced } = options;
  const settings = ['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-allow-replica-migration', 'no'];
  settings.push('--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1', ...args);
  const starts = Array.from({ length: MASTERS * (1 + replicasPerMaster) }, (_, i) =>
    startRedisServer({
      args: [...settings, ...announcement(announced?.[i])],
      mode: 'cluster-node',
      ...(command && { command }),
      ...(config && { config }),
    }),
  );
  const started = await Promise.allSettled(starts);
  const nodes = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const cluster = new PrivateCluster(nodes);
  try {
    await Promise.all(starts);
    await options.beforeMeeting?.(nodes);
    await cluster.join(announced?.[0]?.busPort ?? nodes[0]!.busPort);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function announcement(how: { readonly busPort: number; readonly callsFrom: string } | undefined): string[] {
  if (how === undefined) return [];
  const place = ['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-bus-port', String(how.busPort)];
  // Protected mode refuses a caller from another address than 127.0.0.1, even of this machine. The node is safe without
  // it, because it listens on 127.0.0.1 only.
  return [...place, '--bind-source-addr', how.callsFrom, '--protected-mode', 'no'];
}

/** One line of CLUSTER NODES. */
interface NodeView {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly masterId: string;
  readonly ranges: readonly (readonly [number, number])[];
}

class PrivateCluster implements RedisCluster {
  constructor(readonly nodes: readonly RedisServer[]) {}

  get addresses() {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  private get running(): RedisServer[] {
    return this.nodes.filter(({ state }) => state === 'running');
  }

  async join(busPortOfTheFirst: number): Promise<void> {
    const masters = this.nodes.slice(0, MASTERS);
    const [first] = masters as [RedisServer];
    for (const [i, master] of masters.entries()) {
      const [from, to] = [Math.floor((i * SLOTS) / MASTERS), Math.floor(((i + 1) * SLOTS) / MASTERS) - 1];
      await redisCommand(master.port, 'CLUSTER', 'ADDSLOTSRANGE', from, to);
      await redisCommand(master.port, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    }
    for (const node of this.nodes.slice(1)) {
      await redisCommand(node.port, 'CLUSTER', 'MEET', '127.0.0.1', first.port, busPortOfTheFirst);
    }
    const ids = await Promise.all(masters.map(async ({ port }) => String(await redisCommand(port, 'CLUSTER', 'MYID'))));
    for (const [i, replica] of this.nodes.slice(MASTERS).entries()) {
      const id = ids[i % MASTERS]!;
      const knows = async () => (await viewOf(replica)).some((node) => node.id === id);
      await eventually(knows, { withinMs: WHOLE_MS, what: 'that a replica knows its master' });
      await redisCommand(replica.port, 'CLUSTER', 'REPLICATE', id);
    }
    await this.waitUntilWhole();
  }

  async masterOf(slotOrKey: number | string): Promise<RedisServer> {
    const slot = typeof slotOrKey === 'number' ? slotOrKey : slotOf(slotOrKey);
    let owner: NodeView | undefined;
    const isOwned = async () => {
      // Between the news that a master is now a replica and the claim of the new one, a node knows no owner.
      const view = await this.view();
      owner = view.find(({ ranges }) => ranges.some(([from, to]) => from <= slot && slot <= to));
      return owner !== undefined;
    };
    await eventually(isOwned, { withinMs: WHOLE_MS, what: `that somebody owns slot ${slot}` });
    return this.nodeAt(owner!.port);
  }

  async replicaOf(master: RedisServer): Promise<RedisServer> {
    let replica: RedisServer | undefined;
    const hasReplica = async () => {
      // A node that came back as a replica is a master without slots to the others until they hear from it.
      const view = await this.view();
      const id = view.find(({ port }) => port === master.port)?.id;
      const replicas = view
        .filter((node) => node.masterId === id && !isDown(node))
        .map(({ port }) => this.nodeAt(port));
      replica = replicas.find(({ state }) => state === 'running');
      return replica !== undefined;
    };
    await eventually(hasReplica, { withinMs: WHOLE_MS, what: `a running replica of the node of port ${master.port}` });
    return replica!;
  }

  async failover(replica: RedisServer): Promise<void> {
    await redisCommand(replica.port, 'CLUSTER', 'FAILOVER');
    const isMaster = async () => {
      const views = await Promise.all(this.running.map(viewOf));
      return views.every((view) => view.some(({ port, ranges }) => port === replica.port && ranges.length > 0));
    };
    await eventually(isMaster, { withinMs: WHOLE_MS, what: 'that the replica is master' });
  }

  async migrateSlot(slot: number, to: RedisServer, move: SlotMove = {}): Promise<void> {
    const from = await this.masterOf(slot);
    if (from === to) throw new Error(`the node of port ${to.port} owns slot ${slot} already`);
    const [fromId, toId] = await Promise.all(
      [from, to].map(async ({ port }) => String(await redisCommand(port, 'CLUSTER', 'MYID'))),
    );
    await redisCommand(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
    await redisCommand(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
    await moveKeys(slot, from, to, move);
    // The destination first: a client redirected there must not be sent back (redis-cli does the same).
    const others = (await this.masters()).filter((node) => node !== from && node !== to);
    for (const { port } of [to, from, ...others]) {
      await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
    }
  }

  async waitUntilWhole(withinMs = WHOLE_MS): Promise<void> {
    let why = '';
    const isWhole = async () => {
      why = await this.whatIsMissing().catch(String);
      if (why) await delay(50); // each look opens some twenty connections
      return !why;
    };
    await eventually(isWhole, { withinMs, what: 'a whole cluster' }).catch((error: Error) => {
      throw new Error(`${error.message}: ${why}`);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** Why the cluster is not whole; empty when it is. */
  private async whatIsMissing(): Promise<string> {
    const views = await Promise.all(this.running.map(viewOf));
    const maps = new Set(views.map(slotMapOf));
    if (maps.size !== 1) return 'the nodes do not agree who owns which slot';
    const runningPorts = new Set(this.running.map(({ port }) => port));
    const roles = new Set(views.map((view) => replicaMapOf(view, runningPorts)));
    if (roles.size !== 1) return 'the nodes do not agree which node is a replica of which';
    for (const [i, { port }] of this.running.entries()) {
      const state = (await redisFacts(port, 'CLUSTER', 'INFO')).get('cluster_state');
      if (state !== 'ok') return `the node of port ${port} says the cluster's state is ${state}`;
      const replication = await redisFacts(port, 'INFO', 'replication');
      const link = replication.get('master_link_status');
      if (link !== undefined && link !== 'up') return `the replica of port ${port} is not linked (${link})`;
      const isWrong = (node: NodeView) => runningPorts.has(node.port) && isDown(node);
      const wrong = views[i]!.find(isWrong);
      if (wrong) return `the node of port ${port} holds that of port ${wrong.port} for ${wrong.flags.join()}`;
      const known = views[i]!.filter((node) => runningPorts.has(node.port)).length;
      if (known !== runningPorts.size) return `the node of port ${port} knows ${known} of ${runningPorts.size}`;
    }
    return '';
  }

  private async view(): Promise<NodeView[]> {
    // The view of the node with the newest epoch: a node that was away may be outdated.
    const seen = await Promise.all(
      this.running.map(async (node) => {
        const epoch = Number((await redisFacts(node.port, 'CLUSTER', 'INFO')).get('cluster_current_epoch'));
        return { epoch, node };
      }),
    );
    const newest = seen.reduce((best, next) => (next.epoch > best.epoch ? next : best));
    return viewOf(newest.node);
  }

  private async masters(): Promise<RedisServer[]> {
    const view = await this.view();
    return view.filter((node) => node.ranges.length > 0 && !isDown(node)).map(({ port }) => this.nodeAt(port));
  }

  private nodeAt(port: number): RedisServer {
    const node = this.nodes.find((candidate) => candidate.port === port);
    if (!node) throw new Error(`no node of this cluster has port ${port}`);
    return node;
  }
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer, move: SlotMove): Promise<void> {
  const { order = 'listed', replace = false, beforeKey } = move;
  let movedCount = 0;
  for (let round = 0; round < MIGRATE_ROUNDS_MAX; round += 1) {
    const listed = (await redisCommand(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, KEYS_PER_ROUND)) as string[];
    if (listed.length === 0) {
      await beforeKey?.(undefined, movedCount);
      // New writes go to the destination already, so an empty source stays empty.
      return;
    }
    for (const key of ordered(listed, order)) {
      await beforeKey?.(key, movedCount);
      const mode = replace ? ['REPLACE'] : [];
      // It replies OK, or NOKEY if the key has expired; everything else is an error, which rejects.
      await redisCommand(from.port, 'MIGRATE', '127.0.0.1', to.port, key, 0, 5_000, ...mode);
      movedCount += 1;
    }
  }
  throw new Error(`slot ${slot} is not empty after ${MIGRATE_ROUNDS_MAX} rounds`);
}

function ordered(keys: readonly string[], order: NonNullable<SlotMove['order']>): readonly string[] {
  if (typeof order === 'function') return order(keys);
  if (order === 'listed') return keys;
  const others = [...keys].reverse();
  if (order === 'random') {
    for (let i = others.length - 1; i > 0; i -= 1) {
      const j = randomInt(i + 1);
      [others[i], others[j]] = [others[j]!, others[i]!];
    }
  }
  return others;
}

async function viewOf(node: RedisServer): Promise<NodeView[]> {
  const text = String(await redisCommand(node.port, 'CLUSTER', 'NODES'));
  return text.trim().split('\n').map(parseNode);
}

function parseNode(line: string): NodeView {
  const [id = '', address = '', flags = '', masterId = '', , , , , ...slots] = line.split(' ');
  const port = Number(/:(\d+)@/.exec(address)?.[1]);
  const ranges = slots
    .filter((slot) => !slot.startsWith('[')) // a move under way
    .map((slot) => slot.split('-').map(Number))
    .map(([from, to]) => [from!, to ?? from!] as const);
  return { id, port, flags: flags.split(','), masterId, ranges };
}

function isDown({ flags }: NodeView): boolean {
  return flags.some((flag) => flag.startsWith('fail') || flag === 'handshake' || flag === 'noaddr');
}

function slotMapOf(view: readonly NodeView[]): string {
  const owners = view.flatMap(({ port, ranges }) => ranges.map(([from, to]) => `${from}-${to}@${port}`));
  return owners.sort().join(' ');
}

function replicaMapOf(view: readonly NodeView[], ports: ReadonlySet<number>): string {
  const replicas = view.filter(({ port }) => ports.has(port)).map(({ port, masterId }) => `${port}<${masterId}`);
  return replicas.sort().join(' ');
}
