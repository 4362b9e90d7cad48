import { reportDefect } from '../../process/defect-report.js';
import type { CacheStore } from '../protocol/cache-store.js';
import { StoreUnavailableError } from '../cache.errors.js';

const PERIOD_MS = 1000;
/** Maximum steps in one period, so that a flood of work leaves room for reads; the rest follows a second later. */
const STEPS_MAX = 50;

/**
 * Frees what can no longer be served, about every second, in small steps. Each process runs one; several do no harm.
 */
export class Sweeper {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly store: CacheStore) {}

  start(): void {
    const wait = PERIOD_MS * (0.75 + Math.random() / 2); // processes that start together sweep apart
    this.timer = setTimeout(() => {
      this.running = this.run();
      void this.running.finally(() => this.timer && this.start());
    }, wait).unref();
  }

  /** Resolves when no step is under way and none will begin. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      for (let step = 0; step < STEPS_MAX; step++) if (!(await this.store.sweep()).more) return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }
}
