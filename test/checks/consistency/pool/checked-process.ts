import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Order, ProcessConfig, Report } from '../process/messages.js';
import type { Watchdog } from '../watchdog.js';

const PROGRAM = fileURLToPath(new URL('../process/checker-process.js', import.meta.url));
const LAST_WORDS_MAX = 4000;

/** How a process ended without an order of the run. */
export interface UnexpectedEnd {
  readonly by: number;
  readonly how: string;
}

/** A child process with a cache, as the run sees it. */
export class CheckedProcess {
  readonly by: number;
  readonly slot: number;
  readonly role: 'reader' | 'worker';
  isStopped = false;
  private isExpectedToEnd = false;
  private lastWords = '';
  private readonly listeners = new Set<(report: Report) => void>();
  private readonly child: ChildProcess;
  readonly gone: Promise<void>;

  constructor(config: ProcessConfig, watchdog: Watchdog, onUnexpectedEnd: (end: UnexpectedEnd) => void) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build" first`);
    ({ by: this.by, slot: this.slot, role: this.role } = config);
    this.child = fork(PROGRAM, [JSON.stringify(config)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    watchdog.guard(this.pid);
    this.child.stderr?.on('data', (text: Buffer) => {
      this.lastWords = (this.lastWords + String(text)).slice(-LAST_WORDS_MAX);
    });
    this.child.on('message', (report: Report) => this.listeners.forEach((listener) => listener(report)));
    this.gone = once(this.child, 'close').then(([code, signal]) => {
      watchdog.release(this.pid);
      if (!this.isExpectedToEnd) {
        const how = `process ${this.by} ended by itself (code ${code}, signal ${signal}): ${this.lastWords.trim()}`;
        onUnexpectedEnd({ by: this.by, how });
      }
    });
  }

  /** The last part of its error stream. */
  get warnings(): string {
    return this.lastWords;
  }

  order(order: Order): void {
    // A killed process receives no orders any more, and its successor does not learn of them.
    if (this.child.connected) this.child.send(order, () => undefined);
  }

  /** Resolves with the next report of this kind; never resolves if the process ends first. */
  hears<K extends Report['kind']>(kind: K): Promise<Extract<Report, { kind: K }>> {
    return new Promise((resolve) => {
      const listener = (report: Report) => {
        if (report.kind !== kind) return;
        this.listeners.delete(listener);
        resolve(report as Extract<Report, { kind: K }>);
      };
      this.listeners.add(listener);
    });
  }

  /** Stops the process until `resume`. */
  stop(): void {
    this.isStopped = true;
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.isStopped = false;
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.isExpectedToEnd = true;
    this.child.kill('SIGKILL');
    await this.gone;
  }

  /** Lets the process close its cache and end, as an application does. */
  async close(): Promise<void> {
    this.isExpectedToEnd = true;
    this.order({ kind: 'close' });
    await this.gone;
  }

  private get pid(): number {
    return this.child.pid as number;
  }
}
