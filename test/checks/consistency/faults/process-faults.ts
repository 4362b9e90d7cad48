import { elapse } from '../../../support/eventually.js';
import type { CheckedProcess } from '../pool/checked-process.js';
import type { ProcessPool } from '../pool/process-pool.js';
import type { Fault } from './fault-schedule.js';
import type { FaultScene } from './fault-scene.js';
import type { ServerFaults } from './server-faults.js';

/** How long the injector waits for a builder in the middle of its fetch. */
const BUILDER_WAIT_MS = 1500;
const LINGER_MS = 1500;
/** Pause after a fault of several servers, so that everything works for at least a moment. */
const CALM_MS = 1200;

/** Injects the scheduled faults into a run. */
export class FaultInjector {
  /** Faults of the server itself run one after the other. */
  private server: Promise<unknown> = Promise.resolve();
  private failure: Error | undefined;
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    private readonly servers: ServerFaults,
    private readonly pool: ProcessPool,
    private readonly scene: FaultScene,
  ) {}

  /** Begins a fault; it may last. */
  inject(fault: Fault): void {
    this.begin(this.carryOut(fault));
  }

  /** Begins a series of faults, each after the end of the one before, as long as `shouldGoOn` returns true. */
  injectInTurn(faults: Generator<Fault, never>, shouldGoOn: () => boolean): void {
    const series = async () => {
      while (shouldGoOn()) {
        await this.servers.hit(faults.next().value);
        await elapse(CALM_MS);
      }
    };
    this.begin(series());
  }

  /**
   * Resolves when every fault has ended and everything runs. Rejects if a fault could not be carried out: a defect of
   * the checker.
   */
  async ended(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
    if (this.failure) throw this.failure;
  }

  private begin(fault: Promise<unknown>): void {
    const work: Promise<unknown> = fault
      .catch((error: Error) => (this.failure ??= error))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  private async carryOut(fault: Fault): Promise<void> {
    const worker = this.pool.all[0] as CheckedProcess;
    const reader = this.pool.runningReader(fault.target);
    if (!reader) return; // all readers are stopped
    switch (fault.kind) {
      case 'reader-killed':
        return this.kill(fault, reader);
      case 'worker-killed':
        return this.kill(fault, worker);
      case 'reader-stopped':
        return this.stop(fault, reader);
      case 'worker-stopped':
        return worker.isStopped ? undefined : this.stop(fault, worker);
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
      case 'fetches-slow':
        return this.tell(fault, reader, 'slow');
      case 'bus-killed':
      case 'bus-storm':
      case 'connections-killed':
        return this.servers.hitConnections(fault);
      default:
        this.server = this.server.then(() => this.servers.hit(fault));
        await this.server;
    }
  }

  private async kill(fault: Fault, process: CheckedProcess): Promise<void> {
    if (process.isStopped) return; // another fault holds it
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

  /** Whether the process is now in the middle of a fetch, after it has read the source. */
  private async isFetching(process: CheckedProcess): Promise<boolean> {
    const fetching = process.hears('fetching').then(() => true);
    process.order({ kind: 'linger', ms: LINGER_MS });
    return Promise.race([fetching, elapse(BUILDER_WAIT_MS).then(() => false)]);
  }
}
