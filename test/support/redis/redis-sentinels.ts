import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { redisCommand, redisFacts } from './redis-command.js';
import { startRedisServer, type RedisServer } from './redis-server.js';

export interface RedisSentinelsOptions {
  /** How long the master may be silent before the Sentinels consider it down. @default 1000 */
  readonly downAfterMs?: number;
  /** Redis' failover-timeout: an unfinished failover is tried again after twice this time. @default 3000 */
  readonly failoverTimeoutMs?: number;
  /** How often a Sentinel publishes its state; a returning master becomes a replica after four periods. @default 500 */
  readonly publishPeriodMs?: number;
  /** How long a Sentinel that stood still decides nothing. @default 1000 */
  readonly tiltPeriodMs?: number;
  /** Further arguments of each redis-server that holds data. */
  readonly args?: readonly string[];
  /** Further lines of each Sentinel's configuration. */
  readonly sentinelConfig?: readonly string[];
  /** @default redis-server, looked up in PATH */
  readonly command?: string;
}

/** One master, two replicas and the three Sentinels that watch them: real ones, on 127.0.0.1. */
export interface RedisSentinels {
  /** The Sentinels' name for the master: REDIS_SENTINEL_NAME. */
  readonly name: string;
  /** The servers that hold data; each can be killed, paused, resumed and restarted. The first started as master. */
  readonly nodes: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** For REDIS_SENTINELS and `sentinels`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The master that most running Sentinels name. */
  currentMaster(): Promise<RedisServer>;
  /** Running nodes that are not master, in the order of `nodes`. */
  replicas(): Promise<RedisServer[]>;
  /** SENTINEL FAILOVER: resolves when the Sentinels name another master. */
  failover(): Promise<void>;
  /** REPLICAOF NO ONE without telling the Sentinels: two masters, until they notice. */
  promoteByHand(node: RedisServer): Promise<void>;
  /** REPLICAOF without telling the Sentinels. */
  replicaOf(node: RedisServer, host: string, port: number): Promise<void>;
  /**
   * Resolves when the running Sentinels agree on a master, consider it healthy, and know each other and the replicas,
   * and all other running nodes are linked to the master.
   */
  waitUntilWhole(withinMs?: number): Promise<void>;
  /** Ends everything and removes its folders. */
  stop(): Promise<void>;
}

const NAME = 'main';
const REPLICAS = 2;
const SENTINELS = 3;
const QUORUM = 2;
/**
 * How long the group may take until it is whole, or has another master: with six processes on a loaded machine. On an
 * idle one a start takes two seconds, and the time after a failover ten.
 */
const WHOLE_MS = 60_000;

/**
 * Guarantees Sentinels that know every node when the promise resolves, and no process left when this process ends,
 * however it ends.
 */
export async function startRedisSentinels(options: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
  const group = new PrivateSentinels(options);
  try {
    await group.start();
  } catch (error) {
    await group.stop();
    throw error;
  }
  return group;
}

class PrivateSentinels implements RedisSentinels {
  readonly name = NAME;
  readonly nodes: RedisServer[] = [];
  readonly sentinels: RedisServer[] = [];

  constructor(private readonly options: RedisSentinelsOptions) {}

  get addresses() {
    return this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  async start(): Promise<void> {
    const { args = [], command } = this.options;
    const binary = command ? { command } : {};
    const settings = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1', ...args];
    for (let i = 0; i <= REPLICAS; i += 1) {
      // A file, so that a role set by the Sentinels (replicaof) survives a restart.
      this.nodes.push(await startRedisServer({ args: settings, config: ['# rewritten by Redis'], ...binary }));
    }
    const [master, ...replicas] = this.nodes as [RedisServer, ...RedisServer[]];
    await Promise.all(replicas.map((replica) => this.replicaOf(replica, '127.0.0.1', master.port)));
    await Promise.all(replicas.map(({ port }) => redisCommand(port, 'CONFIG', 'REWRITE')));
    for (let i = 0; i < SENTINELS; i += 1) {
      this.sentinels.push(
        await startRedisServer({ mode: 'sentinel', config: this.sentinelConfig(master.port), ...binary }),
      );
    }
    await Promise.all(this.sentinels.map((sentinel) => this.hurry(sentinel)));
    await this.waitUntilWhole();
  }

  async currentMaster(): Promise<RedisServer> {
    const votes = await Promise.all(runningOf(this.sentinels).map((sentinel) => masterPortOf(sentinel)));
    const counted = votes.map((port) => ({ port, count: votes.filter((other) => other === port).length }));
    const named = counted.reduce((best, next) => (next.count > best.count ? next : best)).port;
    const master = this.nodes.find(({ port }) => port === named);
    if (!master) throw new Error(`the Sentinels name port ${named}, which is none of these nodes`);
    return master;
  }

  async replicas(): Promise<RedisServer[]> {
    const master = await this.currentMaster();
    return runningOf(this.nodes).filter((node) => node !== master);
  }

  async failover(): Promise<void> {
    const before = await this.currentMaster();
    const [sentinel] = runningOf(this.sentinels) as [RedisServer];
    await redisCommand(sentinel.port, 'SENTINEL', 'FAILOVER', NAME);
    const isOver = async () => (await this.currentMaster()) !== before;
    await eventually(isOver, { withinMs: WHOLE_MS, what: 'that the Sentinels name another master' });
  }

  async promoteByHand(node: RedisServer): Promise<void> {
    await redisCommand(node.port, 'REPLICAOF', 'NO', 'ONE');
  }

  async replicaOf(node: RedisServer, host: string, port: number): Promise<void> {
    await redisCommand(node.port, 'REPLICAOF', host, port);
  }

  async waitUntilWhole(withinMs = WHOLE_MS): Promise<void> {
    let why = '';
    const isWhole = async () => {
      why = await this.whatIsMissing().catch(String);
      if (why) await delay(50); // each look opens nine connections
      return !why;
    };
    await eventually(isWhole, { withinMs, what: 'that Sentinels and nodes are whole' }).catch((error: Error) => {
      throw new Error(`${error.message}: ${why}`);
    });
  }

  async stop(): Promise<void> {
    // The Sentinels first: they would react to the nodes' end.
    await Promise.all(this.sentinels.map((sentinel) => sentinel.stop()));
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** Why the group is not whole; empty when it is. */
  private async whatIsMissing(): Promise<string> {
    const sentinels = runningOf(this.sentinels);
    const ports = new Set(await Promise.all(sentinels.map((sentinel) => masterPortOf(sentinel))));
    if (ports.size !== 1) return `the Sentinels name ${[...ports].join(' and ')}`;
    const [masterPort] = ports;
    const nodes = runningOf(this.nodes);
    for (const { port } of nodes) {
      const facts = await redisFacts(port, 'INFO', 'replication');
      const role = port === masterPort ? 'master' : 'slave';
      if (facts.get('role') !== role) return `the node of port ${port} is ${facts.get('role')}`;
      if (role === 'master') continue;
      const linked = facts.get('master_port') === String(masterPort) && facts.get('master_link_status') === 'up';
      if (!linked) return `the replica of port ${port} is not linked to the master`;
    }
    for (const { port } of sentinels) {
      const reply = (await redisCommand(port, 'SENTINEL', 'MASTER', NAME)) as string[];
      const fact = (name: string) => reply[reply.indexOf(name) + 1];
      if (fact('flags') !== 'master') return `the Sentinel of port ${port} says of the master: ${fact('flags')}`;
      if (Number(fact('num-other-sentinels')) !== SENTINELS - 1)
        return `the Sentinel of port ${port} knows too few others`;
      if (Number(fact('num-slaves')) < nodes.length - 1) return `the Sentinel of port ${port} knows too few replicas`;
    }
    return '';
  }

  private sentinelConfig(masterPort: number): string[] {
    const { downAfterMs = 1_000, failoverTimeoutMs = 3_000, sentinelConfig = [] } = this.options;
    return [
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${NAME} ${failoverTimeoutMs}`,
      `sentinel parallel-syncs ${NAME} ${REPLICAS}`,
      ...sentinelConfig,
    ];
  }

  /**
   * Sets periods that no configuration sets (Redis 7.0: SENTINEL DEBUG); a restarted Sentinel has the defaults again.
   */
  private async hurry({ port }: RedisServer): Promise<void> {
    const { publishPeriodMs = 500, tiltPeriodMs = 1_000 } = this.options;
    const periods = [
      'INFO-PERIOD',
      500,
      'PING-PERIOD',
      200,
      'PUBLISH-PERIOD',
      publishPeriodMs,
      'TILT-PERIOD',
      tiltPeriodMs,
    ];
    await redisCommand(port, 'SENTINEL', 'DEBUG', ...periods);
  }
}

function runningOf(servers: readonly RedisServer[]): RedisServer[] {
  return servers.filter(({ state }) => state === 'running');
}

async function masterPortOf({ port }: RedisServer): Promise<number> {
  const reply = (await redisCommand(port, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string];
  return Number(reply[1]);
}
