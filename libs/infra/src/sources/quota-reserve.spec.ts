import { describe, expect, it } from '@jest/globals';
import { MemorySpendLedger } from './memory-spend-ledger.js';
import { QuotaReserve, type QuotaUsage } from './quota-reserve.js';
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
    for (let i = 0; i < count; i += 1) reserve.charge(account);
  };
  const left = (count: number) => (word.usage = { used: 10_000 - count, limit: 10_000 });
  const passes = (account: string | undefined, kind: 'read' | 'write' = 'read') => {
    try {
      reserve.check(account, kind);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(QuotaReservedError);
      return false;
    }
  };
  return { reserve, clock, spend, left, passes };
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

  it('refuses the reads of those who have spent most first, and everybody’s at the end; never a write', () => {
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
