import { describe, expect, it } from '@jest/globals';
import { MemorySpendLedger } from './memory-spend-ledger.js';
import { QuotaReserve, type QuotaPass, type QuotaUsage, type QuotaUse } from './quota-reserve.js';
import { QuotaReservedError } from './sources.errors.js';

function quota(percent = 10) {
  const ledger = new MemorySpendLedger();
  const clock = { nowMs: 0 };
  const word: { usage: QuotaUsage | undefined } = { usage: undefined };
  const reserve = new QuotaReserve(
    ledger,
    percent,
    () => word.usage,
    () => clock.nowMs,
  );
  const spend = (account: string, count: number) => {
    for (let i = 0; i < count; i += 1) ledger.charge(account);
  };
  const left = (count: number) => (word.usage = { used: 10_000 - count, limit: 10_000 });
  /** Whether the request may be sent. It is sent at once, or waits in `waiting`. */
  const passes = (account: string | undefined, use: QuotaUse = 'read', waiting?: QuotaPass[]) => {
    try {
      const pass = reserve.check(account, use);
      if (waiting) waiting.push(pass);
      else pass.sent();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(QuotaReservedError);
      return false;
    }
  };
  /** How many of so many requests pass. */
  const passing = (count: number, ...request: Parameters<typeof passes>) =>
    Array.from({ length: count }, () => passes(...request)).filter((isPassed) => isPassed).length;
  return { reserve, ledger, clock, spend, left, passes, passing };
}

describe('[C2] the reserve of a quota', () => {
  it('refuses nothing before the source has said how much is used, and while more than the reserve is left', () => {
    const { spend, left, passes, reserve } = quota();
    spend('heavy', 5_000);
    expect([passes('heavy'), reserve.state]).toEqual([true, undefined]);
    left(1_000);
    expect([passes('heavy'), passes(undefined)]).toEqual([true, true]);
    expect(reserve.state).toEqual({ used: 9_000, limit: 10_000, reserve: 1_000, refused: 0 });
  });

  it('refuses the reads of those who have spent most first, and everybody’s at the end; no first write', () => {
    const { spend, left, passes, reserve } = quota();
    spend('heavy', 4_000);
    spend('middle', 1_500);
    spend('light', 10);
    const who = (count: number) => {
      left(count);
      return ['heavy', 'middle', 'light', 'new'].filter((account) => passes(account));
    };
    expect(who(999)).toEqual(['middle', 'light', 'new']);
    expect(who(376)).toEqual(['middle', 'light', 'new']);
    expect(who(375)).toEqual(['light', 'new']);
    expect(who(2)).toEqual(['new']);
    expect(who(0)).toEqual([]);
    expect(who(-50)).toEqual([]);
    expect(passes('heavy', 'write')).toBe(true);
    expect(reserve.state?.refused).toBe(1 + 1 + 2 + 3 + 4 + 4);
  });

  it('counts requests when they are sent, and none of the process itself', () => {
    const { ledger, passes } = quota();
    const waiting: QuotaPass[] = [];
    expect([passes('a', 'read', waiting), passes('a', 'write', waiting), passes(undefined)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([ledger.spentBy('a'), ledger.heaviest()]).toEqual([0, 0]);
    waiting[0]?.sent();
    waiting[1]?.giveBack();
    expect([ledger.spentBy('a'), ledger.heaviest()]).toEqual([1, 1]);
  });

  it('gives each account a tenth of what is left for its writes, and for checks that it could not make as reads', () => {
    const { spend, left, passes, passing } = quota();
    spend('heavy', 4_000);
    left(500);
    expect(passes('heavy')).toBe(false);
    expect([passing(30, 'heavy', 'check'), passing(30, 'heavy', 'write')]).toEqual([30, 20]);
    expect(passing(30, 'heavy', 'check')).toBe(0);
    left(600);
    expect(passing(30, 'heavy', 'write')).toBe(10);
    left(100);
    expect([passes('heavy', 'write'), passing(30, 'light', 'write')]).toEqual([false, 10]);
    left(1_500);
    expect(passing(1_000, 'heavy', 'write')).toBe(1_000);
  });

  it('counts a check of an account that may read as no write', () => {
    const { spend, left, passing } = quota();
    spend('heavy', 4_000);
    left(500);
    expect([passing(60, 'light', 'check'), passing(60, 'light', 'write')]).toEqual([60, 50]);
  });

  it('gives each account four requests for writes, however little is left', () => {
    const { left, passing } = quota();
    left(0);
    expect([passing(9, 'a', 'write'), passing(9, 'b', 'check')]).toEqual([4, 4]);
  });

  it('counts writes that wait for their turn, until they are given back', () => {
    const { left, passes, passing } = quota();
    left(0);
    const waiting: QuotaPass[] = [];
    expect([passing(9, 'a', 'write', waiting), waiting.length]).toEqual([4, 4]);
    waiting[0]?.giveBack();
    waiting[1]?.sent();
    expect([passes('a', 'write'), passes('a', 'write')]).toEqual([true, false]);
    for (const each of waiting.slice(2)) each.giveBack();
    expect(passing(9, 'a', 'write')).toBe(2);
  });

  it('refuses no light account because it is the heaviest of a day that has just begun', () => {
    const { spend, left, passes } = quota();
    spend('a', 40);
    left(500);
    expect([passes('a'), passes('b')]).toEqual([true, true]);
    left(399);
    expect([passes('a'), passes('b')]).toEqual([false, true]);
  });

  it('refuses the reads of the process itself in its second half', () => {
    const { left, passes } = quota();
    left(500);
    expect(passes(undefined)).toBe(true);
    left(499);
    expect([passes(undefined), passes(undefined, 'write')]).toEqual([false, true]);
  });

  it('lets one read a minute pass while the source says nothing new, so that the end of it is noticed', () => {
    const { clock, left, passes } = quota();
    left(0);
    expect(passes('a')).toBe(false);
    clock.nowMs = 59_999;
    expect(passes('a')).toBe(false);
    clock.nowMs = 60_000;
    expect([passes('a'), passes('a')]).toEqual([true, false]);
    left(0); // the answer to the probe
    clock.nowMs = 119_999;
    expect(passes('a')).toBe(false);
    left(5_000);
    expect(passes('a')).toBe(true);
  });

  it('can be switched off', () => {
    const { left, passes } = quota(0);
    left(0);
    expect(passes('a')).toBe(true);
  });
});
