import { eventually } from '../eventually.js';
import { redisCommand } from '../redis/redis-command.js';
import type { RedisSentinels } from '../redis/redis-sentinels.js';
import type { RedisServer } from '../redis/redis-server.js';
import { cutEverybody, deny, knowSides, rejoin, separate, SIDE_PASSWORD, type Side } from './sides.js';

/** How long the majority may take to make another primary; on an idle machine it takes a few seconds. */
const REPLACED_MS = 60_000;

/**
 * A split of a primary and its Sentinels: the minority has the primary and the first Sentinel, the majority has the
 * rest.
 */
export class SentinelSplit {
  private constructor(private readonly group: RedisSentinels) {}

  /**
   * Makes the servers know the users of both sides. After that, clients must connect as one of the two (`clientOf`).
   */
  static async prepare(group: RedisSentinels): Promise<SentinelSplit> {
    const { nodes, sentinels, name } = group;
    await Promise.all([...nodes, ...sentinels].map(knowSides));
    for (const { port } of nodes)
      await redisCommand(port, 'CONFIG', 'SET', 'masteruser', 'majority', 'masterauth', SIDE_PASSWORD);
    for (const [i, { port }] of sentinels.entries()) {
      const side: Side = i === 0 ? 'minority' : 'majority';
      await redisCommand(port, 'SENTINEL', 'SET', name, 'auth-user', side, 'auth-pass', SIDE_PASSWORD);
      await redisCommand(port, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-user', side);
      await redisCommand(port, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', SIDE_PASSWORD);
    }
    const talk = ['ping', 'publish', 'subscribe'];
    for (const sentinel of sentinels) await deny(sentinel, ...talk, 'sentinel|is-master-down-by-addr', 'sentinel|myid');
    for (const node of nodes) await deny(node, ...talk, 'psync');
    await Promise.all([...nodes, ...sentinels].map((server) => cutEverybody(server)));
    await rewritten(nodes);
    await group.waitUntilWhole();
    return new SentinelSplit(group);
  }

  /** Separates the two sides, and resolves when the majority has another primary. */
  async begin(): Promise<void> {
    const { group } = this;
    const primary = await group.currentMaster();
    const [first, ...sentinels] = group.sentinels as [RedisServer, ...RedisServer[]];
    await separate([primary, first], [...group.nodes.filter((node) => node !== primary), ...sentinels]);
    // `currentMaster` names the master that most Sentinels name: here the two of the majority.
    const isReplaced = async () => (await group.currentMaster()) !== primary;
    await eventually(isReplaced, { withinMs: REPLACED_MS, what: 'that the majority has another primary' });
  }

  async end(): Promise<void> {
    const servers = [...this.group.nodes, ...this.group.sentinels];
    await rejoin(servers);
    // A refused Sentinel stays connected as the default user, and takes the refusal of its pings for a sign of life.
    await Promise.all(servers.map((server) => cutEverybody(server, ['default'])));
    // A Sentinel may have made a node save a configuration that refuses a side.
    await rewritten(this.group.nodes);
  }
}

/** Saves the configuration, so that it survives a restart. */
async function rewritten(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(nodes.map(({ port }) => redisCommand(port, 'CONFIG', 'REWRITE')));
}
