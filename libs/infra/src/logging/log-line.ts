import type { Masking } from './masking.js';

/** Maximum levels below the line, fields of one object, and items of one list that are shown. */
const DEPTH_MAX = 5;
const FIELDS_MAX = 64;
const ITEMS_MAX = 32;
const NAME_LENGTH_MAX = 128;

/** Fields whose text is a credential, whatever form it has. */
const CREDENTIALS =
  /^(authorization|proxy-authorization|cookie|set-cookie|password|passphrase|secret|client_?secret|(access|refresh|id)_?token|token|api_?key|assertion)$/i;

/** Fields at the top of a line that hold words, ids and pseudonyms of ours. They are bounded, and not searched. */
const OURS = new Set(['name', 'hostname', 'context', 'requestId', 'subject', 'account', 'audit']);

/**
 * A line of JSON with every text in it masked and bounded: of the message, of errors and their causes, of each field at
 * any depth but the logger's own ones, and of the names of fields. Never throws.
 */
export function maskedLine(line: string, masking: Masking): string {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    fields = { level: 50, time: Date.now(), msg: 'a log line is not shown, because it is not JSON' };
  }
  return `${JSON.stringify(masked(fields, masking, 0))}\n`;
}

function maskedFields(value: object, masking: Masking, depth: number): object {
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value).slice(0, FIELDS_MAX)) {
    if (depth === 0 && OURS.has(name) && typeof field === 'string') shown[name] = field.slice(0, NAME_LENGTH_MAX);
    else if (CREDENTIALS.test(name) && typeof field === 'string') shown[name] = '[masked]';
    else shown[masking.text(name, NAME_LENGTH_MAX)] = masked(field, masking, depth + 1);
  }
  return shown;
}

function masked(value: unknown, masking: Masking, depth: number): unknown {
  if (typeof value === 'string') return masking.text(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => masked(item, masking, depth + 1));
    return value.length > ITEMS_MAX ? [...items, `… (${value.length} items)`] : items;
  }
  return maskedFields(value, masking, depth);
}
