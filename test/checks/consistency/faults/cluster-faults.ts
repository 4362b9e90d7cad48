import { elapse, eventually } from '../../../support/eventually.js';
import type { RedisCluster } from '../../../support/redis/redis-cluster.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';
import type { ClusterSplit } from '../../../support/split/cluster-split.js';
import type { Fault } from './fault-schedule.js';
import { RECOVERY_US, type FaultScene } from './fault-scene.js';
import { ServerFaults } from './server-faults.js';
import { SlotMoves } from './slot-moves.js';

/** How long a replica may take to take over; on an idle machine it takes some seconds. */
const REPLACED_MS = 60_000;

/** Faults of a Redis Cluster; they hit the masters that own partitions. */
export class ClusterFaults extends ServerFaults {
  private readonly moves: SlotMoves;

  private readonly cluster: RedisCluster;

  constructor(
    private readonly split: ClusterSplit,
    /** The slots of the partitions. */
    private readonly slots: readonly number[],
    scene: FaultScene,
  ) {
    super(scene);
    this.cluster = split.cluster;
    this.moves = new SlotMoves(this.cluster, slots, (text) => scene.tell(text));
  }

  protected get servers(): readonly RedisServer[] {
    return this.cluster.nodes.filter(({ state }) => state === 'running');
  }

  async hit(fault: Fault): Promise<void> {
    const slot = this.slots[fault.target % this.slots.length] as number;
    const master = await this.cluster.masterOf(slot);
    const { scene, cluster } = this;
    const during = (text: string, work: () => Promise<unknown>) =>
      scene.emptying(
        fault,
        `${text} (master of slot ${slot}, port ${master.port})`,
        async () => {
          await work();
          await cluster.waitUntilWhole();
          scene.tell('the cluster is whole');
        },
        RECOVERY_US,
      );
    switch (fault.kind) {
      case 'redis-asleep':
        return during(`a master sleeps for ${fault.ms} ms`, () =>
          this.admin.ask(master, 'DEBUG', 'SLEEP', fault.ms / 1000),
        );
      case 'redis-emptied':
        return during('a master emptied', () => this.admin.ask(master, 'FLUSHALL'));
      case 'master-killed':
        return during('a master killed, and restarted when it was replaced', async () => {
          await master.kill();
          await this.replaced(slot, master);
          await elapse(fault.ms);
          await master.restart();
        });
      case 'master-stopped':
        return during('a master stopped until it was replaced, and then let go on', async () => {
          master.pause();
          try {
            await this.replaced(slot, master);
            await elapse(fault.ms);
          } finally {
            master.resume();
          }
        });
      case 'failover':
        return during('CLUSTER FAILOVER', async () => cluster.failover(await cluster.replicaOf(master)));
      case 'split':
        return during('a split: a master and a process see nobody else', () =>
          this.apart(fault, this.split, () => this.split.begin(slot)),
        );
      case 'slot-moved':
        return during('its slot moves key by key', () => this.moves.mended(() => this.moves.move(fault)));
      case 'slot-move-aborted':
        return during('its slot moves half way', () => this.moves.mended(() => this.moves.abort(fault)));
      case 'slot-move-given-up':
        return during('the move of its slot is given up', () => this.moves.mended(() => this.moves.giveUp(fault)));
      case 'slot-handed-over':
        return during('its slot is handed over before all has moved', () =>
          this.moves.mended(() => this.moves.handOver(fault)),
        );
      case 'slots-resharded':
        return during('redis-cli --cluster reshard', () => this.moves.mended(() => this.moves.reshard(fault)));
      default:
        throw new Error(`${fault.kind} is no fault of a Cluster`);
    }
  }

  private async replaced(slot: number, master: RedisServer): Promise<void> {
    // The other nodes name the lost master until the takeover, and the question may fail meanwhile.
    const isReplaced = async () => (await this.cluster.masterOf(slot).catch(() => master)) !== master;
    await eventually(isReplaced, { withinMs: REPLACED_MS, what: 'that a replica takes over' });
    this.scene.tell(`a replica has taken over slot ${slot}`);
  }
}
