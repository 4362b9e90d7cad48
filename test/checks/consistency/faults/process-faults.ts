import { elapse } from '../../../support/eventually.js';
import type { CheckedProcess } from '../pool/checked-process.js';
import type { ProcessPool } from '../pool/process-pool.js';
import { FaultInjector } from '../../faults/fault-injector.js';
import type { Fault } from './fault-schedule.js';
import type { FaultScene } from './fault-scene.js';
import type { ServerFaults } from './server-faults.js';

/** How long the injector waits for a builder in the middle of its fetch. */
const BUILDER_WAIT_MS = 1500;
const LINGER_MS = 1500;
/** The lane of the faults of servers: they run one after the other. */
const SERVERS = Symbol('servers');

/** Carries out the faults of a run of the checker: on its processes, their messages, and the servers. */
export class ProcessFaults {
  readonly injector = new FaultInjector<Fault>((fault) => this.carryOut(fault));

  constructor(
    private readonly servers: ServerFaults,
    private readonly pool: ProcessPool,
    private readonly scene: FaultScene,
  ) {}

  private async carryOut(fault: Fault): Promise<void> {
    const worker = this.pool.all[0] as CheckedProcess;
    switch (fault.kind) {
      case 'worker-killed':
        return this.kill(fault, worker);
      case 'worker-stopped':
        return worker.isStopped ? undefined : this.stop(fault, worker);
      case 'reader-killed':
      case 'reader-stopped':
      case 'builder-killed':
      case 'builder-stopped':
      case 'acks-lost':
      case 'messages-dropped':
      case 'messages-lost':
      case 'fetches-slow':
        return this.hitReader(fault);
      case 'bus-killed':
      case 'bus-storm':
      case 'connections-killed':
        return this.servers.hitConnections(fault);
      default:
        return this.injector.inLane(SERVERS, () => this.servers.hit(fault));
    }
  }

  private async hitReader(fault: Fault): Promise<void> {
    const reader = this.pool.runningReader(fault.target);
    if (!reader) return; // all readers are stopped, so the fault is left out
    switch (fault.kind) {
      case 'reader-killed':
        return this.kill(fault, reader);
      case 'reader-stopped':
        return this.stop(fault, reader);
      case 'builder-killed':
        return (await this.isFetching(reader)) ? this.kill(fault, reader) : undefined;
      case 'builder-stopped':
        return (await this.isFetching(reader)) ? this.stop(fault, reader) : undefined;
      case 'acks-lost':
        return this.tell(fault, reader, 'mute');
      case 'messages-dropped':
        return this.tell(fault, reader, 'lossy');
      case 'messages-lost':
        return this.tell(fault, reader, 'deaf');
      default:
        return this.tell(fault, reader, 'slow');
    }
  }

  private async kill(fault: Fault, process: CheckedProcess): Promise<void> {
    if (process.isStopped) return; // another fault has stopped it
    this.scene.note(fault, `process ${process.by} (${process.role}) killed`);
    await this.pool.replace(process);
  }

  private async stop(fault: Fault, process: CheckedProcess): Promise<void> {
    if (process.isStopped) return;
    this.scene.note(fault, `process ${process.by} (${process.role}) stopped for ${fault.ms} ms`);
    await this.scene.disturbing(async () => {
      process.stop();
      await elapse(fault.ms);
      process.resume();
    }, process.by);
  }

  private async tell(fault: Fault, process: CheckedProcess, kind: 'mute' | 'lossy' | 'deaf' | 'slow'): Promise<void> {
    this.scene.note(fault, `process ${process.by}: ${fault.kind} for ${fault.ms} ms`);
    process.order({ kind, ms: fault.ms });
    await elapse(fault.ms);
  }

  /**
   * Makes the next fetch of the process linger. Resolves with whether the process is now in the middle of that fetch,
   * after it has read the source.
   */
  private async isFetching(process: CheckedProcess): Promise<boolean> {
    const fetching = process.hears('fetching').then(() => true);
    process.order({ kind: 'linger', ms: LINGER_MS });
    return Promise.race([fetching, elapse(BUILDER_WAIT_MS).then(() => false)]);
  }
}
