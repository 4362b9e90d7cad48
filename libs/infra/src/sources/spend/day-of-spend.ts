import { LRUCache } from 'lru-cache';
import { ACCOUNTS_MAX } from '../spend-ledger.js';

/** What is known of one UTC day. It begins anew when the day has changed, at the next use. */
export class DayOfSpend {
  private readonly spent = new LRUCache<string, number>({ max: ACCOUNTS_MAX });
  private most = 0;
  private day = '';

  constructor(private readonly now: () => number) {}

  /** The present day, such as `2026-11-30`. */
  get today(): string {
    const day = new Date(this.now()).toISOString().slice(0, 10);
    if (day === this.day) return day;
    this.day = day;
    this.spent.clear();
    this.most = 0;
    return day;
  }

  add(account: string, count: number): void {
    this.atLeast(account, this.of(account) + count);
  }

  /** Learns that the account has spent this much, unless more is known. */
  atLeast(account: string, count: number): void {
    this.spent.set(account, Math.max(count, this.of(account)));
    this.heaviestIsAtLeast(count);
  }

  heaviestIsAtLeast(count: number): void {
    this.most = Math.max(this.heaviest, count);
  }

  of(account: string): number {
    return this.today === '' ? 0 : (this.spent.get(account) ?? 0);
  }

  get heaviest(): number {
    return this.today === '' ? 0 : this.most;
  }
}
