import { WaitTimeoutError } from '../cache.errors.js';
import type { Fetcher, ReadOutcome } from '../cache.types.js';
import type { ResolvedOptions } from './get-or-set-options.js';

/** One caller that has not been answered yet. */
export class Waiter {
  readonly answer: Promise<unknown>;
  /** The last request to the store that its flight had sent when it joined; only later ones may answer it unconditionally. */
  arrivedAfter = 0;
  /** Whether it has waited for somebody else's build. */
  hasWaited = false;
  private resolve!: (value: unknown) => void;
  private reject!: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private onTimeout: (() => void) | undefined;
  private settled = false;

  constructor(
    readonly key: string,
    readonly fetcher: Fetcher<unknown>,
    readonly options: ResolvedOptions,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.timer = setTimeout(() => {
      this.onTimeout?.();
      this.fail(new WaitTimeoutError(key, options.waitMs));
    }, options.waitMs);
  }

  /** Names who is to forget this waiter when its time is up. */
  whenTimedOut(forget: () => void): void {
    this.onTimeout = forget;
  }

  /** From here on it fetches itself, so `waitMs`, which bounds waiting for others, no longer applies. */
  becomeBuilder(): void {
    clearTimeout(this.timer);
  }

  succeed(value: unknown, outcome: ReadOutcome): void {
    if (!this.settle()) return;
    this.options.onOutcome?.(outcome);
    this.resolve(value);
  }

  fail(error: unknown): void {
    if (this.settle()) this.reject(error);
  }

  private settle(): boolean {
    clearTimeout(this.timer);
    const isFirst = !this.settled;
    this.settled = true;
    return isFirst;
  }
}
