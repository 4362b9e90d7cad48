import { z } from 'zod';

/**
 * A date of WHMCS as `YYYY-MM-DD`, a time cut off; null for "never". WHMCS has no null in its date columns: it sends what
 * MySQL keeps instead (`0000-00-00`, with or without a time), what PHP makes of that (`-0001-11-30`, the day before the year
 * 0), an empty text, or leaves the field out. Whatever else is no date is refused: it may be one in another order.
 */
export const dateOrNever = z
  .unknown()
  .optional()
  .transform((value, context): string | null => {
    if (isNever(value)) return null;
    const date = typeof value === 'string' ? /^(\d{4}-\d{2}-\d{2})(?!\d)/.exec(value.trim())?.[1] : undefined;
    if (date !== undefined && !Number.isNaN(Date.parse(`${date}T00:00:00Z`))) return date;
    context.addIssue({ code: 'custom', message: 'it is no date: YYYY-MM-DD, or a zero date for never' });
    return z.NEVER;
  });

/** The expiry of a card (`MM/YY`, `MM/YYYY`, or a date), as it is sent; null for "never" as above, or zeros. */
export const expiryOrNever = z
  .union([z.string(), z.number(), z.null(), z.literal(false)])
  .optional()
  .transform((value): string | null => (isNever(value) ? null : String(value)));

/** A year 0 or below, a month or a day 0, nothing but zeros, or nothing at all. */
function isNever(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return true;
  if (typeof value !== 'string') return false;
  const text = value.trim();
  if (/^[0\s:/.TZ+-]*$/.test(text)) return true;
  return (
    /^(-\d{4}|0000)-\d{2}-\d{2}/.test(text) ||
    /^\d{4}-(00-\d{2}|\d{2}-00)(?!\d)/.test(text) ||
    /^\d{1,2}[/.]\d{1,2}[/.](0000|-\d{4})/.test(text)
  );
}
