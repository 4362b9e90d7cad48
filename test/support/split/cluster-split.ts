import { addressOf } from '../processes/bus-switch.messages.js';
import { eventually } from '../eventually.js';
import { startRedisCluster, type RedisCluster, type RedisClusterOptions } from '../redis/redis-cluster.js';
import { BusSwitch } from './bus-switch.js';
import { rejoin, separate, SIDE_PASSWORD, userLines } from './sides.js';

/** How long the majority may take to make another master; on an idle machine it takes a few seconds. */
const REPLACED_MS = 60_000;

/**
 * A Cluster that can be split: one master alone, the rest in the majority. Clients must connect as a side (`clientOf`).
 */
export class ClusterSplit {
  private constructor(
    readonly cluster: RedisCluster,
    private readonly bus: BusSwitch,
  ) {}

  static async start(options: RedisClusterOptions = {}): Promise<ClusterSplit> {
    const { replicasPerMaster = 1 } = options;
    const bus = await BusSwitch.start(3 * (1 + replicasPerMaster));
    try {
      const cluster = await startRedisCluster({
        ...options,
        config: [
          ...userLines,
          'user default on nopass +@all -psync ~* &*',
          'masteruser majority',
          `masterauth ${SIDE_PASSWORD}`,
        ],
        announced: bus.ports.map((busPort, node) => ({ busPort, callsFrom: addressOf(node) })),
        beforeMeeting: (nodes) => bus.order({ kind: 'connect', busPorts: nodes.map((node) => node.busPort) }),
      });
      return new ClusterSplit(cluster, bus);
    } catch (error) {
      await bus.stop();
      throw error;
    }
  }

  /**
   * Separates the master of this slot from all other nodes, and resolves when these have another master for the slot.
   */
  async begin(slot: number): Promise<void> {
    const { cluster, bus } = this;
    const master = await cluster.masterOf(slot);
    await Promise.all([
      bus.order({ kind: 'isolate', nodes: [cluster.nodes.indexOf(master)] }),
      separate(
        [master],
        cluster.nodes.filter((node) => node !== master),
      ),
    ]);
    const isReplaced = async () => (await cluster.masterOf(slot).catch(() => master)) !== master;
    await eventually(isReplaced, { withinMs: REPLACED_MS, what: 'that the majority has another master' });
  }

  async end(): Promise<void> {
    await Promise.all([this.bus.order({ kind: 'rejoin' }), rejoin(this.cluster.nodes)]);
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.bus.stop();
  }
}
