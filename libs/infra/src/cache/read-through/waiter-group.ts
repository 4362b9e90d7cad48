import type { ReadOutcome } from '../cache.types.js';
import { tellOutcome, tellTooOld, Waiter } from './waiter.js';

/**
 * Callers who came together with a waiter of their own kind (`cameWith`), and are answered as one: the rules of who may
 * share what cannot tell them apart. Ten thousand of them cost a promise each, and nothing else.
 *
 * They share the options, so the patience too, and the first one's fetcher. The waiter they came with stands before them in
 * every queue, so none of them builds.
 */
export class WaiterGroup extends Waiter {
  private size = 0;

  /** The answer of one more; of a hit a copy of his own. */
  join(): Promise<unknown> {
    this.size++;
    return this.answer.then(give);
  }

  /** Should it come to that, the fetch is made for them, and their patience holds: all but one of them wait for somebody else. */
  override becomeBuilder(): void {
    this.waitForOther();
  }

  override succeed(value: unknown, outcome: ReadOutcome, _isStored = false, copy?: () => unknown): void {
    this.resolve(copy ?? (() => value));
    const { onOutcome } = this.options;
    if (!onOutcome) return;
    for (let told = 0; told < this.size; told++) {
      tellOutcome(onOutcome, outcome === 'miss' && told > 0 ? 'coalesced' : outcome);
    }
  }

  protected override tellTooOld(): void {
    for (let told = 0; told < this.size; told++) tellTooOld(this.options);
  }
}

function give(value: unknown): unknown {
  return (value as () => unknown)();
}
