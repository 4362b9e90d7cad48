import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { COUNTS_MAX, LINES_MAX, LineBudget, WINDOW_MS, type LeftOut } from './line-budget.js';

const alice = { subject: 'a', account: '1' };
const bob = { subject: 'b', account: undefined };

describe('[C7] a budget of lines', () => {
  let reports: LeftOut[];
  let budget: LineBudget;
  beforeEach(() => {
    jest.useFakeTimers({ now: Date.parse('2026-01-01T10:00:00Z') });
    reports = [];
    budget = new LineBudget((leftOut) => void reports.push(leftOut));
    budget.start();
  });
  afterEach(() => {
    budget.close();
    jest.useRealTimers();
  });

  /** How many of so many lines may be written. */
  const taken = (times: number, ...[kind, caller, reason]: Parameters<LineBudget['takes']>) =>
    Array.from({ length: times }, () => budget.takes(kind, caller, reason)).filter(Boolean).length;

  it('lets so many of each kind and caller pass in a minute, and of all that are not known together', async () => {
    expect([taken(1_000, '404', alice), taken(1_000, '429', alice), taken(1_000, '404', bob)]).toEqual(
      Array.from({ length: 3 }, () => LINES_MAX),
    );
    expect(taken(1_000, '404', undefined) + taken(1_000, '404', undefined)).toBe(LINES_MAX);
    await jest.advanceTimersByTimeAsync(WINDOW_MS);
    expect(taken(1_000, '404', alice)).toBe(LINES_MAX);
  });

  it('reports at the end of the minute what it has left out, with its reasons and its time, and nothing else', async () => {
    await jest.advanceTimersByTimeAsync(1_000);
    taken(LINES_MAX + 2, 'denied', alice, 'no token');
    await jest.advanceTimersByTimeAsync(2_000);
    taken(3, 'denied', alice, 'expired');
    taken(LINES_MAX, 'denied', bob, 'no token');
    await jest.advanceTimersByTimeAsync(2 * WINDOW_MS);
    expect(reports).toEqual([
      {
        kind: 'denied',
        caller: alice,
        count: 5,
        reasons: { 'no token': 2, expired: 3 },
        from: '2026-01-01T10:00:01.000Z',
        to: '2026-01-01T10:00:03.000Z',
      },
    ]);
  });

  it('reports at its end what is not reported yet', () => {
    taken(LINES_MAX + 1, 'denied', undefined);
    budget.close();
    expect(reports).toMatchObject([{ kind: 'denied', caller: undefined, count: 1, reasons: {} }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells eight reasons apart, and counts the others together', () => {
    taken(LINES_MAX, 'denied', alice);
    for (let i = 0; i < 20; i++) budget.takes('denied', alice, `reason ${i}`);
    budget.close();
    expect(reports[0]?.count).toBe(20);
    expect(Object.keys(reports[0]?.reasons ?? {})).toHaveLength(9);
    expect(reports[0]?.reasons['other']).toBe(12);
  });

  it('counts callers beyond its bound as if they were not known', () => {
    for (let i = 0; i < COUNTS_MAX; i++) budget.takes('denied', { subject: `${i}`, account: undefined });
    const passed = Array.from({ length: 100 }, (_, i) =>
      budget.takes('denied', { subject: `more-${i}`, account: undefined }),
    ).filter(Boolean);
    budget.close();
    expect(passed).toHaveLength(LINES_MAX);
    expect(reports).toMatchObject([{ caller: undefined, count: 100 - LINES_MAX }]);
  });
});
