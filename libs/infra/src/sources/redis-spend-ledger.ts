import { reportDefect } from '../process/defect-report.js';
import { needsOf } from '../redis/needs.js';
import { failureOf } from '../redis/refused-reply.js';
import type { RedisClient } from '../redis/redis-client.js';
import { ACCOUNTS_MAX, SpendLedger } from './spend-ledger.js';
import { DayOfSpend } from './spend/day-of-spend.js';

const PERIOD_MS = 1_000;
/** Maximum number of accounts whose counts are written in one period. */
const BATCH_MAX = 500;
/** A day's counts outlive the day by one more: clocks of processes differ. */
const KEPT_MS = 2 * 86_400_000;

/**
 * The spend of all processes of an application: one sorted set a day. Counts are written once a second, and the answers
 * say what the other processes have counted for the same accounts. While Redis is away they wait, bounded; what was
 * sent without an answer is not sent again, so a request is never counted twice.
 */
export class RedisSpendLedger extends SpendLedger {
  private readonly day: DayOfSpend;
  private readonly timer: NodeJS.Timeout;
  private readonly pending = new Map<string, number>();
  private pendingDay = '';
  private writing: Promise<boolean> | undefined;

  constructor(
    private readonly redis: RedisClient,
    private readonly appName: string,
    now: () => number = Date.now,
  ) {
    super();
    this.day = new DayOfSpend(now);
    needsOf(redis).set(this.key(''), {
      part: 'the spend of the accounts',
      keys: [this.key('')],
      keyPattern: this.key('*'),
      scratchKey: this.key('pr'),
      commands: ['PEXPIRE', 'ZADD', 'ZREMRANGEBYRANK', 'ZREVRANGE'],
    });
    this.timer = setInterval(() => void this.write(), PERIOD_MS).unref();
  }

  charge(account: string): void {
    this.day.add(account, 1);
    this.beginDay();
    const count = this.pending.get(account);
    if (count !== undefined || this.pending.size < ACCOUNTS_MAX) this.pending.set(account, (count ?? 0) + 1);
  }

  spentBy(account: string): number {
    return this.day.of(account);
  }

  heaviest(): number {
    return this.day.heaviest;
  }

  /**
   * Writes one batch of what waits, unless a write is under way or the connection is not there. Resolves with whether it
   * has written one. Never rejects.
   */
  async write(): Promise<boolean> {
    this.beginDay();
    if (this.writing || this.pending.size === 0 || this.redis.status !== 'ready') return false;
    this.writing = this.writeBatch().then(
      () => true,
      (error: unknown) => {
        // Health shows an outage and a refusal; requests go on without the spend of the other processes.
        if (failureOf(error).kind === 'defect') reportDefect(error);
        return false;
      },
    );
    const isWritten = await this.writing;
    this.writing = undefined;
    return isWritten;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    // Requests that end meanwhile may add to what waits, so the number of batches is bounded.
    for (let batch = 0; batch < ACCOUNTS_MAX / BATCH_MAX; batch += 1) if (!(await this.write())) return;
  }

  private async writeBatch(): Promise<void> {
    const batch = [...this.pending].slice(0, BATCH_MAX);
    for (const [account] of batch) this.pending.delete(account);
    const { pendingDay: day, redis } = this;
    const key = this.key(day);
    const totals = batch.map(([account, count]) => redis.zadd(key, 'INCR', count, account));
    const upkeep = [redis.zremrangebyrank(key, 0, -ACCOUNTS_MAX - 1), redis.pexpire(key, KEPT_MS)];
    const [most, spent] = await Promise.all([
      redis.zrevrange(key, 0, 0, 'WITHSCORES'),
      Promise.all(totals),
      Promise.all(upkeep),
    ]);
    if (day !== this.day.today) return;
    this.day.heaviestIsAtLeast(Number(most[1] ?? 0));
    // What was charged since then is in none of the totals.
    batch.forEach(([account], i) => this.day.atLeast(account, Number(spent[i]) + (this.pending.get(account) ?? 0)));
  }

  /** Drops what waits for a day that is over. */
  private beginDay(): void {
    if (this.pendingDay === this.day.today) return;
    this.pendingDay = this.day.today;
    this.pending.clear();
  }

  private key(day: string): string {
    return `{${this.appName}.spend}:${day}`;
  }
}
