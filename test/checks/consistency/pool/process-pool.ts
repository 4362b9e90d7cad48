import { CheckedProcess, type UnexpectedEnd } from './checked-process.js';
import type { History } from '../history/history.js';
import type { ProcessConfig } from '../process/messages.js';
import type { RedisPlace } from '../topology.js';
import { Watchdog } from '../watchdog.js';

/** The configuration that all processes of a run share. */
export type SharedConfig = Omit<ProcessConfig, 'by' | 'slot' | 'role' | 'redis'>;

/** The slot whose process is with the minority in a split; its successors are too. */
const ALONE_IN_A_SPLIT = 1;

/** The processes of a run: slot 0 is the worker, the others are readers. A killed process has a successor at once. */
export class ProcessPool {
  readonly unexpectedEnds: UnexpectedEnd[] = [];
  private readonly processes: CheckedProcess[] = [];
  private readonly watchdog = new Watchdog();
  private started = 0;
  private isClosing = false;

  constructor(
    private readonly config: SharedConfig,
    private readonly place: RedisPlace,
    private readonly history: History,
  ) {}

  get all(): readonly CheckedProcess[] {
    return this.processes;
  }

  /** A running reader, chosen by a number; undefined if no reader runs. */
  runningReader(target: number): CheckedProcess | undefined {
    const running = this.processes.slice(1).filter((process) => !process.isStopped);
    return running[target % running.length];
  }

  get startedCount(): number {
    return this.started;
  }

  async start(readers: number): Promise<void> {
    const ready = Array.from({ length: readers + 1 }, (_, slot) => this.startIn(slot).hears('ready'));
    const failed = new Promise<never>((_, reject) => {
      for (const { gone } of this.processes)
        void gone.then(() => reject(new Error(`a process did not start: ${this.unexpectedEnds[0]?.how}`)));
    });
    await Promise.race([Promise.all(ready), failed]);
    failed.catch(() => undefined);
  }

  /** Kills a process and starts another in its place. */
  async replace(process: CheckedProcess): Promise<void> {
    await process.kill();
    if (!this.isClosing && this.processes[process.slot] === process) this.startIn(process.slot);
  }

  /** Ends all running processes, in any state. */
  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all(this.processes.map((process) => process.kill()));
    this.watchdog.close();
  }

  private startIn(slot: number): CheckedProcess {
    const by = ++this.started;
    this.history.joined(by);
    const role = slot === 0 ? 'worker' : 'reader';
    const redis = this.place(slot === ALONE_IN_A_SPLIT ? 'minority' : 'majority');
    const process = new CheckedProcess({ ...this.config, redis, by, slot, role }, this.watchdog, (end) =>
      this.unexpectedEnds.push(end),
    );
    void process.gone.then(() => this.history.left(by));
    this.processes[slot] = process;
    return process;
  }
}
