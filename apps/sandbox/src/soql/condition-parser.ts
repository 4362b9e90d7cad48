import type { CompareOperator, Condition, FieldPath, Literal } from './soql.ast.js';
import type { TokenReader } from './token-reader.js';

/** How deep parentheses and NOT may be nested: a bound for the stack, far above what people write. */
const DEPTH_MAX = 50;
/** Values in one IN list. */
const IN_VALUES_MAX = 4_000;

const COMPARISONS: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>=', 'LIKE'];

/** Reads a WHERE clause. AND and OR cannot be mixed without parentheses, as in SOQL itself. */
export function parseCondition(reader: TokenReader, depth = 0): Condition {
  const first = parseTerm(reader, depth);
  const kind = reader.isAt('AND') ? 'and' : reader.isAt('OR') ? 'or' : undefined;
  if (kind === undefined) return first;
  const terms = [first];
  while (reader.takeIf(kind.toUpperCase())) terms.push(parseTerm(reader, depth));
  if (reader.isAt('AND') || reader.isAt('OR'))
    throw reader.unexpected('put parentheses around conditions that mix AND and OR');
  return { kind, terms };
}

function parseTerm(reader: TokenReader, depth: number): Condition {
  if (depth > DEPTH_MAX) throw reader.unexpected(`conditions are nested deeper than ${DEPTH_MAX}`);
  if (reader.takeIf('NOT')) return { kind: 'not', term: parseTerm(reader, depth + 1) };
  if (reader.takeIf('(')) {
    const inner = parseCondition(reader, depth + 1);
    reader.expect(')');
    return inner;
  }
  return parseComparison(reader);
}

function parseComparison(reader: TokenReader): Condition {
  const path = parsePath(reader, 'a field name');
  if (reader.isAt('(')) throw reader.unexpected('functions are not supported here');
  if (reader.takeIf('IN')) return { kind: 'in', path, isNegated: false, values: parseList(reader) };
  if (reader.isAt('NOT') && reader.isAt('IN', 1)) {
    reader.take();
    reader.take();
    return { kind: 'in', path, isNegated: true, values: parseList(reader) };
  }
  const operator = COMPARISONS.find((candidate) => reader.isAt(candidate));
  if (operator === undefined) throw reader.unexpected('expecting =, !=, <, <=, >, >=, LIKE, IN or NOT IN');
  reader.take();
  const value = parseLiteral(reader);
  return { kind: 'compare', path, operator: (operator === '<>' ? '!=' : operator) as CompareOperator, value };
}

function parseList(reader: TokenReader): Literal[] {
  reader.expect('(');
  if (reader.isAt('SELECT')) throw reader.unexpected('semi-joins are not supported here: list the values');
  const values = [parseLiteral(reader)];
  while (reader.takeIf(',')) {
    if (values.length >= IN_VALUES_MAX) throw reader.unexpected(`no more than ${IN_VALUES_MAX} values in a list`);
    values.push(parseLiteral(reader));
  }
  reader.expect(')');
  return values;
}

/** A field name with the relationships in front of it. */
export function parsePath(reader: TokenReader, what: string): FieldPath {
  const token = reader.expectWord(what);
  return { segments: token.text.split('.'), position: token.position };
}

function parseLiteral(reader: TokenReader): Literal {
  const token = reader.peek();
  const { position } = token;
  if (token.kind === 'string') return (reader.take(), { kind: 'string', literal: token.literal, position });
  if (token.kind === 'number') return (reader.take(), { kind: 'number', value: token.value, position });
  if (token.kind === 'date' || token.kind === 'datetime') {
    if (!isRealDate(token.text)) throw reader.unexpected('there is no such date');
    return (reader.take(), { kind: token.kind, text: token.text, position });
  }
  if (reader.takeIf('NULL')) return { kind: 'null', position };
  if (reader.takeIf('TRUE')) return { kind: 'boolean', value: true, position };
  if (reader.takeIf('FALSE')) return { kind: 'boolean', value: false, position };
  throw reader.unexpected(
    'expecting a quoted string, a number, a date, true, false or null; date literals such as TODAY are not supported here',
  );
}

/** Whether the calendar has this day and the clock this time: `2026-02-30` and `T25:00:00Z` are refused. */
function isRealDate(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) return false;
  return !Number.isNaN(Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')));
}
