/** A span of time: from `start` (included) to `end` (excluded), in milliseconds. */
export interface DateSpan {
  readonly start: number;
  readonly end: number;
}

type Unit = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';

/** The unit of a span, its first unit counted from the current one, and its number of units. */
interface Shape {
  readonly unit: Unit;
  readonly first: (count: number) => number;
  readonly units: (count: number) => number;
}

const fixed = (unit: Unit, first: number): Shape => ({ unit, first: () => first, units: () => 1 });
const one = () => 1;

/** The date literals (SOQL and SOSL Reference, "Date Formats and Date Literals"), without fiscal years and quarters. */
const SHAPES: Readonly<Record<string, Shape>> = {
  TODAY: fixed('DAY', 0),
  YESTERDAY: fixed('DAY', -1),
  TOMORROW: fixed('DAY', 1),
  // Today counts too, so the span has 91 days.
  LAST_90_DAYS: { unit: 'DAY', first: () => -90, units: () => 91 },
  NEXT_90_DAYS: { unit: 'DAY', first: one, units: () => 90 },
  LAST_N_DAYS: { unit: 'DAY', first: (n) => -n, units: (n) => n + 1 },
  NEXT_N_DAYS: { unit: 'DAY', first: one, units: (n) => n },
  N_DAYS_AGO: { unit: 'DAY', first: (n) => -n, units: one },
  ...calendar('WEEK'),
  ...calendar('MONTH'),
  ...calendar('QUARTER'),
  ...calendar('YEAR'),
};

/** The literals for whole units around the current one: `LAST_MONTH`, `NEXT_N_MONTHS:3`. */
function calendar(unit: Unit): Record<string, Shape> {
  return {
    [`THIS_${unit}`]: fixed(unit, 0),
    [`LAST_${unit}`]: fixed(unit, -1),
    [`NEXT_${unit}`]: fixed(unit, 1),
    [`LAST_N_${unit}S`]: { unit, first: (n) => -n, units: (n) => n },
    [`NEXT_N_${unit}S`]: { unit, first: one, units: (n) => n },
    [`N_${unit}S_AGO`]: { unit, first: (n) => -n, units: one },
  };
}

/**
 * Whether the date literal takes a number after a colon (`counted`) or not (`plain`); undefined if there is no such
 * literal.
 */
export function dateLiteral(name: string): 'plain' | 'counted' | undefined {
  if (!Object.hasOwn(SHAPES, name)) return undefined;
  return /(^|_)N_/.test(name) ? 'counted' : 'plain';
}

/**
 * The span that a date literal means at `now`, in UTC; weeks begin on Sunday. Undefined outside the years 1700 to 4000,
 * the range of SOQL.
 */
export function dateSpan(name: string, count: number, now: number): DateSpan | undefined {
  const shape = SHAPES[name];
  if (shape === undefined) return undefined;
  const first = shape.first(count);
  const span = { start: startOf(shape.unit, first, now), end: startOf(shape.unit, first + shape.units(count), now) };
  const isInRange = span.start >= Date.UTC(1700, 0, 1) && span.end < Date.UTC(4001, 0, 1);
  return isInRange ? span : undefined;
}

/** The start of the unit that is `offset` units after the current one; NaN if no date is that far away. */
function startOf(unit: Unit, offset: number, now: number): number {
  const today = new Date(now);
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()];
  switch (unit) {
    case 'DAY':
      return Date.UTC(year, month, day + offset);
    case 'WEEK':
      return Date.UTC(year, month, day - today.getUTCDay() + 7 * offset);
    case 'MONTH':
      return Date.UTC(year, month + offset, 1);
    case 'QUARTER':
      return Date.UTC(year, Math.floor(month / 3) * 3 + 3 * offset, 1);
    case 'YEAR':
      return Date.UTC(year + offset, 0, 1);
  }
}
