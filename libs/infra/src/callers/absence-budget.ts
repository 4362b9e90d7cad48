import { LRUCache } from 'lru-cache';

/** Maximum number of customers whose absent records are counted at the same time. */
const CUSTOMERS_MAX = 10_000;

/**
 * Bounds how many answers "there is none" each customer may leave in the cache: a customer can make up ids without end.
 * At most `countMax` within each `windowMs`, in each process.
 */
export class AbsenceBudget {
  private readonly windows = new LRUCache<string, { count: number; readonly endsAt: number }>({ max: CUSTOMERS_MAX });

  constructor(
    private readonly countMax: number,
    private readonly windowMs: number,
  ) {}

  /** Whether one more may be kept for this customer, which then counts. */
  take(customer: string): boolean {
    const now = performance.now();
    const known = this.windows.get(customer);
    if (known === undefined || known.endsAt <= now) {
      this.windows.set(customer, { count: 1, endsAt: now + this.windowMs });
      return true;
    }
    if (known.count >= this.countMax) return false;
    known.count++;
    return true;
  }
}
