/**
 * A query whose values are all bound, never concatenated. The `soql` tag makes it; code that makes one itself checks
 * every name that it puts in.
 */
export interface Soql {
  readonly text: string;
}

/** The name of a field that an org may call otherwise. Only `soqlField` makes it. */
export interface SoqlField {
  readonly fieldName: string;
}

/** The pattern of a field's API name (Salesforce Help, "Custom Field Attributes"); a namespace may stand before it. */
const FIELD_NAME = /^[A-Za-z]\w{0,79}$/;

/** A configured field name for a query. Throws a `TypeError` for text that is no API name. */
export function soqlField(name: string): SoqlField {
  if (!FIELD_NAME.test(name)) throw new TypeError(`${JSON.stringify(name.slice(0, 80))} is no API name of a field`);
  return { fieldName: name };
}

type SoqlValue = string | number | boolean | null | Date | SoqlField | readonly (string | number)[];

/**
 * Guarantees that a value stays a value: strings are quoted and escaped, dates become date-time literals, arrays become
 * a list for `IN` (an empty one throws: SOQL has no empty list). Field and object names go into the template; a name
 * that is configured comes from `soqlField`.
 *
 *     soql`SELECT Id FROM Order WHERE AccountId = ${accountId} AND Status IN ${statuses}`
 */
export function soql(parts: TemplateStringsArray, ...values: SoqlValue[]): Soql {
  return {
    text: parts
      .reduce((text, part, i) => text + literal(values[i - 1] as SoqlValue) + part)
      .replace(/\s+/g, (space) => (space.includes('\n') ? ' ' : space))
      .trim(),
  };
}

function literal(value: SoqlValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`SOQL has no literal for ${value}`);
    return String(value);
  }
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Date) return value.toISOString();
  if ('fieldName' in value) return value.fieldName;
  if (value.length === 0) throw new TypeError('SOQL has no empty list: ask only when there is something to ask for');
  return `(${value.map(literal).join(', ')})`;
}

/** Escapes backslash, quotes and control characters (SOQL and SOSL Reference, "Quoted String Escape Sequences"). */
function quoted(text: string): string {
  const escaped = text.replace(/[\\'"\n\r\t\b\f]/g, (char) => ESCAPES[char] as string);
  return `'${escaped}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};
