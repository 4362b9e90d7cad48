import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '../cache.errors.js';
import { ChangeFeeds } from './change-feeds.js';

/** Answers with the `ages` that the test has set, or rejects if they are an error. */
class ScriptedLeases {
  polls = 0;
  ages: Record<string, number> | Error = {};
  /** If set, the next answers wait for it. */
  held: Promise<void> | undefined;

  async feedAges(): Promise<ReadonlyMap<string, number>> {
    this.polls++;
    const { ages } = this; // as they are when the store looks
    await this.held;
    if (ages instanceof Error) throw ages;
    return new Map(Object.entries(ages));
  }
}

describe('ChangeFeeds', () => {
  let leases: ScriptedLeases;
  let now: number;
  let feeds: ChangeFeeds;
  beforeEach(() => {
    jest.useFakeTimers();
    leases = new ScriptedLeases();
    now = 1_000_000;
    feeds = new ChangeFeeds(leases, 60, () => now);
  });
  afterEach(() => {
    feeds.stop();
    jest.useRealTimers();
  });

  /** Lets a second pass, for the timers and on the clock of the feeds. */
  const second = async () => {
    now += 1000;
    await jest.advanceTimersByTimeAsync(1000);
  };

  it('trusts nothing before it has asked, and a feed from the instant on at which it was up to date', async () => {
    const order = feeds.watch(['Order']);
    expect(order).toMatchObject({ trustedUntil: -Infinity, maxAgeSeconds: 60 });
    leases.ages = { Order: 3000 };
    await feeds.start();
    expect(order.trustedUntil).toBe(1_000_000 - 3000 + 60_000);
    leases.ages = { Order: 500 };
    await second();
    expect(order.trustedUntil).toBe(1_001_000 - 500 + 60_000);
  });

  it('counts from the instant at which it asked, however late the answer comes', async () => {
    const order = feeds.watch(['Order']);
    leases.ages = { Order: 0 };
    let answer = (): void => undefined;
    leases.held = new Promise((resolve) => (answer = resolve));
    const started = feeds.start();
    now += 300_000; // the process stood still
    answer();
    await started;
    expect(order.trustedUntil).toBe(1_060_000);
  });

  it('trusts several feeds as far as the one that is furthest behind', async () => {
    const both = feeds.watch(['Order', 'OrderItem']);
    const one = feeds.watch(['Order']);
    leases.ages = { Order: 0, OrderItem: 40_000, Account: 59_000 };
    await feeds.start();
    expect(both.trustedUntil).toBe(1_020_000);
    expect(one.trustedUntil).toBe(1_060_000);
    expect(feeds.watch(['OrderItem', 'Order', 'Order'])).toBe(both);
  });

  it('never trusts a feed that nobody has followed, whatever the others say', async () => {
    const both = feeds.watch(['Order', 'Unheard']);
    leases.ages = { Order: 0 };
    await feeds.start();
    expect(both.trustedUntil).toBe(-Infinity);
  });

  it('lets trust run out while it hears nothing, and has it back with the first answer', async () => {
    const order = feeds.watch(['Order']);
    leases.ages = { Order: 0 };
    await feeds.start();
    for (const failure of [new StoreUnavailableError('away'), {}] as const) {
      leases.ages = failure;
      await second();
      expect(order.trustedUntil).toBe(1_060_000);
    }
    leases.ages = { Order: 0 };
    await second();
    expect(order.trustedUntil).toBe(1_063_000);
  });

  it('a slow answer takes back nothing that is still true', async () => {
    const order = feeds.watch(['Order']);
    leases.ages = { Order: 0 };
    await feeds.start();
    leases.ages = { Order: 900 };
    await second();
    expect(order.trustedUntil).toBe(1_060_100);
    // Asked at 1,002,000; the store looks at 1,004,000 and answers the same: it was up to date at 1,000,100.
    let answer = (): void => undefined;
    leases.held = new Promise((resolve) => (answer = resolve));
    leases.ages = { Order: 3900 };
    await second();
    now += 2000;
    answer();
    await jest.advanceTimersByTimeAsync(0);
    expect(order.trustedUntil).toBe(1_060_100);
  });

  it('takes back what was said when a silence turns out to have been a loss', async () => {
    const order = feeds.watch(['Order']);
    leases.ages = { Order: 0 };
    await feeds.start();
    leases.ages = { Order: 240_000 };
    await second();
    expect(order.trustedUntil).toBe(1_001_000 - 240_000 + 60_000);
  });

  it('counts a feed that is ahead of the clock as up to date now, and one of unknown age as unknown', async () => {
    const ahead = feeds.watch(['Ahead']);
    const odd = feeds.watch(['Odd']);
    leases.ages = { Ahead: -5000, Odd: NaN };
    await feeds.start();
    expect(ahead.trustedUntil).toBe(1_060_000);
    expect(odd.trustedUntil).toBe(-Infinity);
  });

  it('asks only if somebody watches, every second, and no more once it is stopped', async () => {
    await feeds.start();
    await second();
    expect(leases.polls).toBe(0);
    leases.ages = { Order: 0, Account: 0 };
    const order = feeds.watch(['Order']);
    await jest.advanceTimersByTimeAsync(0);
    expect(order.trustedUntil).toBe(1_061_000);
    await second();
    await second();
    expect(leases.polls).toBe(3);
    expect(feeds.watch(['Account']).trustedUntil).toBe(1_063_000); // the same polls covered this feed, too
    feeds.stop();
    await second();
    expect(leases.polls).toBe(3);
  });

  it('does not begin once it is stopped, and does not wait for an answer for ever', async () => {
    feeds.watch(['Order']);
    leases.held = new Promise(() => undefined);
    const started = feeds.start();
    await jest.advanceTimersByTimeAsync(1000);
    await started;
    const stopped = new ChangeFeeds(leases, 60, () => now);
    stopped.watch(['Order']);
    stopped.stop();
    await stopped.start();
    await second();
    expect(leases.polls).toBe(1);
  });
});
