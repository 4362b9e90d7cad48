import type { Fetcher, ReadOutcome } from '../cache.types.js';
import type { ResolvedOptions } from './get-or-set-options.js';

/** One caller that has not been answered yet. Kept small: ten thousand of them may wait for one build. */
export class Waiter {
  readonly answer: Promise<unknown>;
  /** When its patience ends, by `performance.now()`. A builder waits for nobody, so it has no such time. */
  deadline: number;
  /** The last request to the store that its flight had sent when it joined; only later ones may answer it unconditionally. */
  arrivedAfter = 0;
  /** Whether it has waited for somebody else's build. */
  hasWaited = false;
  private resolve!: (value: unknown) => void;
  private reject!: (error: unknown) => void;

  constructor(
    readonly key: string,
    readonly fetcher: Fetcher<unknown>,
    readonly options: ResolvedOptions,
  ) {
    this.deadline = performance.now() + options.waitMs;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** From here on it fetches itself, so `waitMs`, which bounds waiting for others, no longer applies. */
  becomeBuilder(): void {
    this.deadline = Infinity;
  }

  succeed(value: unknown, outcome: ReadOutcome): void {
    this.options.onOutcome?.(outcome);
    this.resolve(value);
  }

  fail(error: unknown): void {
    this.reject(error);
  }
}
