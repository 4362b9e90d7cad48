import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis-server.js';
import type { Fault } from './fault-schedule.js';
import type { FaultScene } from './fault-scene.js';
import { ServerAdmin } from './server-admin.js';

const STORM_STEP_MS = 15;
/** What a connection has asked last that is none of a process'. */
const OPERATING = /^(cluster|migrate|restore|info|client|debug|config|role|replicaof|ping|NULL)/;

/** What can be done to the Redis of a run. */
export abstract class ServerFaults {
  protected readonly admin = new ServerAdmin();

  constructor(protected readonly scene: FaultScene) {}

  /** Carries out a fault that hits servers, and resolves when all is whole again. Rejects if it could not be: that is our defect. */
  abstract hit(fault: Fault): Promise<void>;

  /** Those that hold data and run. */
  protected abstract get servers(): readonly RedisServer[];

  close(): void {
    this.admin.close();
  }

  /** Carries out a fault that hits connections alone; it may do so while servers are hit. */
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

  /** Until the majority has another master, and for some time more. */
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

  /** Those of the processes; whoever moves slots or asks servers how they are is at work for another fault. */
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
