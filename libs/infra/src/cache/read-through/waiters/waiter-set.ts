import { WaitTimeoutError } from '../../cache.errors.js';
import type { Waiter } from './waiter.js';

/**
 * Callers that wait together, in the order of arrival. A caller whose `waitMs` runs out is rejected and leaves; one
 * timer serves all.
 */
export class WaiterSet implements Iterable<Waiter> {
  private waiters: Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;

  get size(): number {
    return this.waiters.length;
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.waiters.values();
  }

  add(waiter: Waiter): void {
    this.waiters.push(waiter);
    if (waiter.deadline < this.wakesAt) this.wakeAt(waiter.deadline);
  }

  /** From now on `builder`, if there is one, builds, and the others wait for somebody else. */
  waitForOther(builder?: Waiter): void {
    let next = Infinity;
    for (const waiter of this.waiters) {
      if (waiter === builder) waiter.becomeBuilder();
      else waiter.waitForOther();
      next = Math.min(next, waiter.deadline);
    }
    this.wakeAt(next);
  }

  /** Removes and returns the wanted waiters. */
  take(wanted: (waiter: Waiter) => boolean): Waiter[] {
    const taken: Waiter[] = [];
    const left: Waiter[] = [];
    for (const waiter of this.waiters) (wanted(waiter) ? taken : left).push(waiter);
    this.waiters = left;
    if (left.length === 0) this.wakeAt(Infinity);
    return taken;
  }

  /** Removes and returns all. */
  takeAll(): Waiter[] {
    return this.take(() => true);
  }

  private wakeAt(deadline: number): void {
    clearTimeout(this.timer);
    this.wakesAt = deadline;
    this.timer = deadline === Infinity ? undefined : setTimeout(() => this.expire(), deadline - performance.now());
  }

  private expire(): void {
    const now = performance.now();
    for (const waiter of this.take(({ deadline }) => deadline <= now)) {
      waiter.fail(new WaitTimeoutError(waiter.key, waiter.options.waitMs));
    }
    let next = Infinity;
    for (const { deadline } of this.waiters) next = Math.min(next, deadline);
    this.wakeAt(next);
  }
}
