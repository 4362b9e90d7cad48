import { z } from 'zod';

/**
 * A WHMCS date as `YYYY-MM-DD`, without its time; null for "never". WHMCS date columns hold no null: WHMCS sends
 * MySQL's zero date (`0000-00-00`, with or without a time), PHP's reading of it (`-0001-11-30`), an empty text, or no
 * field. Any other value is refused: it may be a date in another order.
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

/** The expiry of a card (`MM/YY`, `MM/YYYY`, or a date) as sent; null for "never" as above, or zeros. */
export const expiryOrNever = z
  .union([z.string(), z.number(), z.null(), z.literal(false)])
  .optional()
  .transform((value): string | null => (isNever(value) ? null : String(value)));

/** Whether the value has a year 0 or below, a month or day 0, only zeros, or no content. */
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
