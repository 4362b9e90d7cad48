import { SpendLedger } from './spend-ledger.js';
import { DayOfSpend } from './spend/day-of-spend.js';

/** The spend that this process alone has caused; it is forgotten when the process ends. */
export class MemorySpendLedger extends SpendLedger {
  private readonly day: DayOfSpend;

  constructor(now: () => number = Date.now) {
    super();
    this.day = new DayOfSpend(now);
  }

  charge(account: string): void {
    this.day.add(account, 1);
  }

  spentBy(account: string): number {
    return this.day.of(account);
  }

  heaviest(): number {
    return this.day.heaviest;
  }

  async close(): Promise<void> {}
}
