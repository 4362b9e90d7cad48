import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BenchOrder } from './processes/bench-process.messages.js';

const PROGRAM = fileURLToPath(new URL('./processes/bench-process.js', import.meta.url));
/**
 * How long an answer to an order is awaited. No order takes this long; one that does has failed, and must not block the
 * run.
 */
const ORDER_MS_MAX = 60_000;

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A child process that measures for this one. It ends with this process at the latest. */
export class BenchProcess {
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private nextId = 1;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ id, result, error }: Answer) => {
      const order = this.pending.get(id);
      this.pending.delete(id);
      if (error === undefined) order?.resolve(result);
      else order?.reject(new Error(error));
    });
    child.on('exit', () => {
      for (const { reject } of this.pending.values()) reject(new Error('the process has ended'));
      this.pending.clear();
    });
  }

  static async start(): Promise<BenchProcess> {
    const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    return new BenchProcess(child);
  }

  /** Sends an order, and resolves with the process' answer. The caller asserts its type. */
  async order<T>(order: BenchOrder): Promise<T> {
    if (!this.child.connected) throw new Error('the process has ended');
    const id = this.nextId++;
    const answer = new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
    const overdue = setTimeout(() => {
      this.pending.get(id)?.reject(new Error(`no answer to ${order.kind} within ${ORDER_MS_MAX} ms`));
      this.pending.delete(id);
    }, ORDER_MS_MAX);
    this.child.send({ id, order });
    try {
      return (await answer) as T;
    } finally {
      clearTimeout(overdue);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
