import { createHash } from 'node:crypto';
import type { FieldValue } from '../../org/field-definition.js';

/**
 * Limits outside which a text is sent whole: characters of the new text, change of the length as a share of it, changed
 * lines as a share of the lines of both texts (Change Data Capture guide, "Sending Data Differences for Fields of
 * Updated Records").
 */
const LIMITS = { lengthMin: 1_000, lengthChangeMax: 0.5, linesChangedMax: 0.25 };

/**
 * The difference that an event carries instead of a large text; undefined if the event carries the text itself. It has
 * one hunk without context, and the SHA-256 of the whole new value after `+++`, as in the guide's sample.
 */
export function unifiedDiff(before: FieldValue | undefined, after: FieldValue | undefined): string | undefined {
  if (typeof before !== 'string' || typeof after !== 'string' || after.length < LIMITS.lengthMin) return undefined;
  if (Math.abs(after.length - before.length) > after.length * LIMITS.lengthChangeMax) return undefined;
  const [from, to] = [before.split('\n'), after.split('\n')];
  const start = equalLines(from, to);
  const end = equalLines(from.slice(start).toReversed(), to.slice(start).toReversed());
  const removed = from.slice(start, from.length - end);
  const added = to.slice(start, to.length - end);
  if (removed.length + added.length > (from.length + to.length) * LIMITS.linesChangedMax) return undefined;
  const hash = createHash('sha256').update(after).digest('hex');
  const place = `@@ -${start + 1},${removed.length} +${start + 1},${added.length} @@`;
  const lines = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
  const diff = ['--- ', `+++ ${hash}`, place, ...lines, ''].join('\n');
  return diff.length > after.length ? undefined : diff;
}

/** How many lines are equal from the front. */
function equalLines(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
