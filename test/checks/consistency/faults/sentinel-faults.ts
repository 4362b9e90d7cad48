import { elapse, eventually } from '../../../support/eventually.js';
import { redisCommand, redisFacts } from '../../../support/redis/redis-command.js';
import type { RedisSentinels } from '../../../support/redis/redis-sentinels.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';
import type { SentinelSplit } from '../../../support/split/sentinel-split.js';
import type { CheckedProcess } from '../pool/checked-process.js';
import type { Fault } from './fault-schedule.js';
import { RECOVERY_US, type FaultScene } from './fault-scene.js';
import { ServerFaults } from './server-faults.js';

/** How long a replica may take to take over; on an idle machine it takes some seconds. */
const REPLACED_MS = 60_000;
/** How long the master goes on after the promotion of a replica, before it copies the replica's older data. */
const OLDER_MS = 500;
const LINKED_MS = 5000;
const ASK_AGAIN_MS = 7000;

/** Faults of a master, its replicas and the Sentinels that watch them. */
export class SentinelFaults extends ServerFaults {
  constructor(
    private readonly group: RedisSentinels,
    private readonly split: SentinelSplit,
    /** A running reader, chosen by a number; undefined if no reader runs. */
    private readonly readerOf: (target: number) => CheckedProcess | undefined,
    scene: FaultScene,
  ) {
    super(scene);
  }

  protected get servers(): readonly RedisServer[] {
    return this.group.nodes.filter(({ state }) => state === 'running');
  }

  async hit(fault: Fault): Promise<void> {
    const { scene, group } = this;
    const master = await group.currentMaster();
    const during = (text: string, work: () => Promise<unknown>) =>
      scene.emptying(
        fault,
        `${text} (master of port ${master.port})`,
        async () => {
          await work();
          await group.waitUntilWhole();
          scene.tell('master, replicas and Sentinels are whole');
        },
        RECOVERY_US,
      );
    switch (fault.kind) {
      case 'redis-asleep':
        return during(`the master sleeps for ${fault.ms} ms`, () =>
          this.admin.ask(master, 'DEBUG', 'SLEEP', fault.ms / 1000),
        );
      case 'redis-emptied':
        return during('the master emptied', () => this.admin.ask(master, 'FLUSHALL'));
      case 'master-killed':
        return during('the master killed, and restarted when it was replaced', async () => {
          await master.kill();
          await this.replaced(master);
          await elapse(fault.ms);
          await master.restart();
        });
      case 'master-stopped':
        return during('the master stopped until it was replaced, and then let go on', () =>
          this.frozen(fault, master, []),
        );
      case 'failover':
        return during('SENTINEL FAILOVER', () => this.failOver(master));
      case 'split':
        return during('a split: the master, a Sentinel and a process see nobody else', () =>
          this.apart(fault, this.split, () => this.split.begin()),
        );
      case 'replica-promoted':
        return during('a replica promoted by hand, and taken back', () => this.promoteAndTakeBack(fault, master));
      case 'host-frozen': {
        const reader = this.readerOf(fault.target);
        const others = reader ? `a Sentinel and process ${reader.by}` : 'a Sentinel';
        return during(`the master stopped until it was replaced, with ${others}`, () =>
          this.frozen(fault, master, [
            group.sentinels[fault.target % group.sentinels.length] as RedisServer,
            ...(reader ? [asPausable(reader)] : []),
          ]),
        );
      }
      default:
        throw new Error(`${fault.kind} is no fault of Sentinels`);
    }
  }

  /**
   * Sentinels give up a failover that takes too long, as it may while connections are killed. Then this requests it
   * again.
   */
  private async failOver(master: RedisServer): Promise<void> {
    const [sentinel] = this.group.sentinels as [RedisServer];
    let askedAt = -Infinity;
    const isReplaced = async () => {
      if (performance.now() - askedAt > ASK_AGAIN_MS) {
        askedAt = performance.now();
        await redisCommand(sentinel.port, 'SENTINEL', 'FAILOVER', this.group.name).catch((error: Error) =>
          this.scene.tell(`SENTINEL FAILOVER: ${error.message}`),
        );
      }
      return (await this.group.currentMaster()) !== master;
    };
    await eventually(isReplaced, { withinMs: REPLACED_MS, what: 'that the Sentinels name another master' });
  }

  /**
   * Freezes the master's host, that is, the master and the processes `beside` it, until the master is replaced and
   * `fault.ms` have passed.
   */
  private async frozen(fault: Fault, master: RedisServer, beside: readonly Pausable[]): Promise<void> {
    const all = [master, ...beside];
    for (const one of all) one.pause();
    try {
      await this.replaced(master);
      await elapse(fault.ms);
    } finally {
      for (const one of all) one.resume();
      this.scene.tell('they go on');
    }
  }

  /**
   * Promotes a replica while the master keeps running. Then the master copies the replica's older data and is promoted
   * again.
   */
  private async promoteAndTakeBack({ target }: Fault, master: RedisServer): Promise<void> {
    const { group } = this;
    const replicas = await group.replicas();
    const other = replicas[target % replicas.length] as RedisServer;
    await group.promoteByHand(other);
    await elapse(OLDER_MS);
    await group.replicaOf(master, '127.0.0.1', other.port);
    const isLinked = async () =>
      (await redisFacts(master.port, 'INFO', 'replication')).get('master_link_status') === 'up';
    // The Sentinels may undo the manual change first. Then this waits in vain, says so, and goes on.
    const linked = eventually(isLinked, { withinMs: LINKED_MS, what: 'that the master has become a replica' });
    await linked.catch((error: Error) => this.scene.tell(error.message));
    await group.promoteByHand(master);
    await group.replicaOf(other, '127.0.0.1', master.port);
    this.scene.tell(`the node of port ${master.port} is master again, with the data of the other`);
  }

  private async replaced(master: RedisServer): Promise<void> {
    const isReplaced = async () => (await this.group.currentMaster()) !== master;
    await eventually(isReplaced, { withinMs: REPLACED_MS, what: 'that a replica takes over' });
    this.scene.tell('a replica has taken over');
  }
}

interface Pausable {
  pause(): void;
  resume(): void;
}

function asPausable(process: CheckedProcess): Pausable {
  return { pause: () => process.stop(), resume: () => process.resume() };
}
