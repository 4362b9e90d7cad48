import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';
import type { Fault } from './fault-schedule.js';
import type { FaultScene } from './fault-scene.js';
import { ServerAdmin } from './server-admin.js';

const STORM_STEP_MS = 15;
/** Last commands that show that a connection is the checker's own, or one between servers. */
const OPERATING = /^(cluster|migrate|restore|info|client|debug|config|role|replicaof|ping|NULL)/;

/** The faults of a run's Redis. */
export abstract class ServerFaults {
  protected readonly admin = new ServerAdmin();

  constructor(protected readonly scene: FaultScene) {}

  /**
   * Carries out a fault of servers, and resolves when all are whole again. Rejects if that fails: a defect of the
   * checker.
   */
  abstract hit(fault: Fault): Promise<void>;

  /** The running servers that hold data. */
  protected abstract get servers(): readonly RedisServer[];

  close(): void {
    this.admin.close();
  }

  /** Carries out a fault of connections; it may overlap a fault of servers. */
  async hitConnections(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'bus-killed':
        this.scene.note(fault, 'all bus connections killed');
        return this.killBusConnections();
      case 'connections-killed':
        this.scene.note(fault, 'all command connections killed');
        return this.killCommandConnections();
      case 'bus-storm':
        this.scene.note(fault, `bus connections killed all the time for ${fault.ms} ms`);
        for (const until = performance.now() + fault.ms; performance.now() < until; await elapse(STORM_STEP_MS))
          await this.killBusConnections();
        return;
      default:
        throw new Error(`${fault.kind} does not hit connections`);
    }
  }

  /** Carries out a split, which lasts until the majority has another master, and `ms` longer. */
  protected async apart({ ms }: Fault, split: { end(): Promise<void> }, begin: () => Promise<void>): Promise<void> {
    try {
      await begin();
      this.scene.tell('the majority has another master');
      await elapse(ms);
    } finally {
      await split.end();
      this.scene.tell('the split ends');
    }
  }

  private async killBusConnections(): Promise<void> {
    await Promise.all(this.servers.map((server) => this.admin.ask(server, 'CLIENT', 'KILL', 'TYPE', 'pubsub')));
  }

  /**
   * Kills the connections for commands of the checked processes. It spares those whose last command moves slots or
   * queries servers, because other faults need them.
   */
  private async killCommandConnections(): Promise<void> {
    await Promise.all(
      this.servers.map(async (server) => {
        const clients = String(await this.admin.ask(server, 'CLIENT', 'LIST', 'TYPE', 'normal'));
        for (const [, id = '', command = ''] of clients.matchAll(/^id=(\d+) .* cmd=(\S+)/gm))
          if (!OPERATING.test(command)) await this.admin.ask(server, 'CLIENT', 'KILL', 'ID', id);
      }),
    );
  }
}
