import { soqlFault } from '../soql-fault.js';

/** One word, literal or sign of a query, with the index of its first character. */
export type Token =
  | { readonly kind: 'word' | 'symbol' | 'date' | 'datetime'; readonly text: string; readonly position: number }
  | { readonly kind: 'number'; readonly text: string; readonly value: number; readonly position: number }
  | { readonly kind: 'string'; readonly text: string; readonly literal: StringLiteral; readonly position: number }
  | { readonly kind: 'end'; readonly text: ''; readonly position: number };

/** A string's characters, and the indexes of escaped wildcards (`\%`, `\_`), which LIKE takes literally. */
export interface StringLiteral {
  readonly text: string;
  readonly escapedWildcards: ReadonlySet<number>;
}

/** The longest query that Salesforce takes (SOQL and SOSL Reference, "SOQL Limits"). */
export const SOQL_LENGTH_MAX = 100_000;

const PATTERNS = [
  ['datetime', /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})/y],
  ['date', /\d{4}-\d{2}-\d{2}(?![\dT])/y],
  ['number', /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y],
  ['word', /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/y],
  ['symbol', /<=|>=|!=|<>|[()=<>,:]/y],
] as const;

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  N: '\n',
  r: '\r',
  R: '\r',
  t: '\t',
  T: '\t',
  b: '\b',
  B: '\b',
  f: '\f',
  F: '\f',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/**
 * The tokens of a query, ended by one of kind `end`. Throws MALFORMED_QUERY at the first place that is no token, and
 * for a query that is too long.
 */
export function tokenize(soql: string): Token[] {
  if (soql.length > SOQL_LENGTH_MAX) {
    throw soqlFault('MALFORMED_QUERY', soql, 0, `SOQL statements cannot be longer than ${SOQL_LENGTH_MAX} characters`);
  }
  const tokens: Token[] = [];
  let position = 0;
  while (position < soql.length) {
    if (/\s/.test(soql.charAt(position))) position++;
    else if (soql.charAt(position) === "'") position = readString(soql, position, tokens);
    else position = readPlain(soql, position, tokens);
  }
  return [...tokens, { kind: 'end', text: '', position: soql.length }];
}

function readPlain(soql: string, position: number, tokens: Token[]): number {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const text = pattern.exec(soql)?.[0];
    if (text === undefined) continue;
    tokens.push(kind === 'number' ? { kind, text, value: Number(text), position } : { kind, text, position });
    return position + text.length;
  }
  throw soqlFault('MALFORMED_QUERY', soql, position, `unexpected character: '${soql.charAt(position)}'`);
}

function readString(soql: string, start: number, tokens: Token[]): number {
  let text = '';
  const escapedWildcards = new Set<number>();
  let position = start + 1;
  while (position < soql.length) {
    const char = soql.charAt(position);
    if (char === "'") {
      const literal = { text, escapedWildcards };
      tokens.push({ kind: 'string', text: soql.slice(start, position + 1), literal, position: start });
      return position + 1;
    }
    if (char !== '\\') {
      text += char;
      position++;
      continue;
    }
    const next = soql.charAt(position + 1);
    const unicode = /^u([0-9a-fA-F]{4})/i.exec(soql.slice(position + 1, position + 6))?.[1];
    if (unicode !== undefined) {
      text += String.fromCharCode(parseInt(unicode, 16));
      position += 6;
      continue;
    }
    if (next === '%' || next === '_') escapedWildcards.add(text.length);
    const plain = next === '%' || next === '_' ? next : ESCAPES[next];
    if (plain === undefined) {
      const reason = `Illegal character sequence '\\${next}' in string literal`;
      throw soqlFault('MALFORMED_QUERY', soql, position, reason);
    }
    text += plain;
    position += 2;
  }
  throw soqlFault('MALFORMED_QUERY', soql, start, "string literal has no closing quote (')");
}
