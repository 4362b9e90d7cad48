import { SalesforceFault } from '../org/org.errors.js';

/** The parts of the sandbox that can be told to refuse. */
export type RefusalTarget = 'rest' | 'cometd' | 'whmcs';

/** Requests that are answered with 503, as a test has ordered. */
export class Refusals {
  private readonly left = new Map<RefusalTarget, number>();

  /** The next `count` requests to this part are refused; 0 takes the order back. */
  order(target: RefusalTarget, count: number): void {
    this.left.set(target, count);
  }

  /** Throws if this request is one of them. */
  check(target: RefusalTarget): void {
    const left = this.left.get(target) ?? 0;
    if (left <= 0) return;
    this.left.set(target, left - 1);
    throw new SalesforceFault(503, 'SERVER_UNAVAILABLE', 'Server is too busy. Please try your request again later.');
  }
}
