import { describe, expect, it } from '@jest/globals';
import { dateLiteral, dateSpan } from './date-span.js';

/** A Wednesday in the second quarter. */
const NOW = Date.parse('2026-05-20T15:30:00Z');

describe('[D8] date literals', () => {
  it.each([
    ['TODAY', 0, '2026-05-20', '2026-05-21'],
    ['YESTERDAY', 0, '2026-05-19', '2026-05-20'],
    ['TOMORROW', 0, '2026-05-21', '2026-05-22'],
    ['LAST_90_DAYS', 0, '2026-02-19', '2026-05-21'],
    ['NEXT_90_DAYS', 0, '2026-05-21', '2026-08-19'],
    ['LAST_N_DAYS', 1, '2026-05-19', '2026-05-21'],
    ['NEXT_N_DAYS', 3, '2026-05-21', '2026-05-24'],
    ['N_DAYS_AGO', 2, '2026-05-18', '2026-05-19'],
    ['THIS_WEEK', 0, '2026-05-17', '2026-05-24'],
    ['LAST_WEEK', 0, '2026-05-10', '2026-05-17'],
    ['NEXT_N_WEEKS', 2, '2026-05-24', '2026-06-07'],
    ['THIS_MONTH', 0, '2026-05-01', '2026-06-01'],
    ['NEXT_MONTH', 0, '2026-06-01', '2026-07-01'],
    ['LAST_N_MONTHS', 6, '2025-11-01', '2026-05-01'],
    ['N_MONTHS_AGO', 6, '2025-11-01', '2025-12-01'],
    ['THIS_QUARTER', 0, '2026-04-01', '2026-07-01'],
    ['LAST_N_QUARTERS', 2, '2025-10-01', '2026-04-01'],
    ['THIS_YEAR', 0, '2026-01-01', '2027-01-01'],
    ['NEXT_N_YEARS', 2, '2027-01-01', '2029-01-01'],
    ['N_YEARS_AGO', 1, '2025-01-01', '2026-01-01'],
  ])('%s:%d is from %s to before %s', (name, count, start, end) => {
    const span = dateSpan(name, count, NOW);
    expect([span?.start, span?.end].map((at) => new Date(at ?? 0).toISOString())).toEqual(
      [start, end].map((day) => `${day}T00:00:00.000Z`),
    );
  });

  it('ends a month and a week where the calendar does, whatever the day', () => {
    const span = dateSpan('NEXT_MONTH', 0, Date.parse('2026-01-31T23:59:59Z'));
    expect(new Date(span?.end ?? 0).toISOString()).toBe('2026-03-01T00:00:00.000Z');
    expect(dateSpan('THIS_WEEK', 0, Date.parse('2026-05-17T00:00:00Z'))?.start).toBe(Date.parse('2026-05-17'));
  });

  it('knows which take a number, and which dates are too far away', () => {
    expect(['TODAY', 'LAST_N_DAYS', 'N_DAYS_AGO', 'THIS_FISCAL_YEAR', 'toString'].map(dateLiteral)).toEqual([
      'plain',
      'counted',
      'counted',
      undefined,
      undefined,
    ]);
    expect(dateSpan('LAST_N_YEARS', 5_000, NOW)).toBeUndefined();
    expect(dateSpan('NEXT_N_DAYS', 1e12, NOW)).toBeUndefined();
  });
});
