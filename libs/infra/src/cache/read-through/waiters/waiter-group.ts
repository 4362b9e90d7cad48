import type { ReadOutcome } from '../../cache.types.js';
import { tellOutcome, tellTooOld, Waiter } from './waiter.js';

/**
 * Callers that arrived together with a waiter of the same kind (`cameWith`) and are answered as one: the rules for
 * sharing cannot tell them apart. Ten thousand of them cost one promise each, and no more.
 *
 * They share the options, so also `waitMs`, and the first one's fetcher. The waiter that they arrived with is before
 * them in every queue, so normally none of them builds.
 */
export class WaiterGroup extends Waiter {
  private size = 0;

  /** Adds one caller and returns its answer; a hit gives it a copy of its own, unless an L1 shares the value. */
  join(): Promise<unknown> {
    this.size++;
    return this.answer.then(give);
  }

  /**
   * If this group must fetch, one fetch serves all. `waitMs` still applies, because all but one of them wait for
   * another caller.
   */
  override becomeBuilder(): void {
    this.waitForOther();
  }

  override succeed(value: unknown, outcome: ReadOutcome, _isStored = false, copy?: () => unknown): void {
    this.resolve(copy ?? (() => value));
    const { counts, onOutcome } = this.options;
    if (!counts && !onOutcome) return;
    for (let told = 0; told < this.size; told++) {
      tellOutcome(this.options, outcome === 'miss' && told > 0 ? 'coalesced' : outcome);
    }
  }

  protected override tellTooOld(): void {
    for (let told = 0; told < this.size; told++) tellTooOld(this.options);
  }
}

function give(value: unknown): unknown {
  return (value as () => unknown)();
}
