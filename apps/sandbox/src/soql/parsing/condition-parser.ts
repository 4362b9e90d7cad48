import { dateLiteral } from './date-span.js';
import {
  AGGREGATES,
  type CompareOperator,
  type Condition,
  type FieldPath,
  type JoinQuery,
  type Literal,
} from '../soql.ast.js';
import type { TokenReader } from './token-reader.js';

/** Maximum nesting of parentheses and NOT, far above what people write. It bounds the stack of calls. */
const DEPTH_MAX = 50;
/** Maximum values in one IN list. */
const IN_VALUES_MAX = 4_000;
/**
 * Maximum semi-joins and anti-joins in one WHERE clause (SOQL and SOSL Reference, "Semi-Joins with IN and Anti-Joins
 * with NOT IN").
 */
const JOINS_MAX = 2;

const COMPARISONS: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>=', 'LIKE'];

/** The clause that a condition belongs to: only WHERE has semi-joins, only HAVING has aggregates. */
export type Clause = 'where' | 'where of a sub-query' | 'having';

/** Parses a WHERE or HAVING clause. AND and OR cannot be mixed without parentheses, as in SOQL itself. */
export function parseCondition(reader: TokenReader, clause: Clause): Condition {
  return new ConditionParser(reader, clause).condition(0);
}

class ConditionParser {
  private joins = 0;

  constructor(
    private readonly reader: TokenReader,
    private readonly clause: Clause,
  ) {}

  condition(depth: number): Condition {
    const { reader } = this;
    const first = this.term(depth);
    const kind = reader.isAt('AND') ? 'and' : reader.isAt('OR') ? 'or' : undefined;
    if (kind === undefined) return first;
    const terms = [first];
    while (reader.takeIf(kind.toUpperCase())) terms.push(this.term(depth));
    if (reader.isAt('AND') || reader.isAt('OR'))
      throw reader.unexpected('put parentheses around conditions that mix AND and OR');
    if (kind === 'or') this.refuseJoins(terms);
    return { kind, terms };
  }

  private term(depth: number): Condition {
    const { reader } = this;
    if (depth > DEPTH_MAX) throw reader.unexpected(`conditions are nested deeper than ${DEPTH_MAX}`);
    if (reader.takeIf('NOT')) return { kind: 'not', term: this.term(depth + 1) };
    if (reader.takeIf('(')) {
      const inner = this.condition(depth + 1);
      reader.expect(')');
      return inner;
    }
    return this.comparison();
  }

  private comparison(): Condition {
    const { reader } = this;
    const path = parsePath(reader, 'a field name', this.clause === 'having');
    if (reader.isAt('(')) throw reader.unexpected('functions are not supported here');
    const isNegated = reader.isAt('NOT') && reader.isAt('IN', 1);
    if (isNegated) reader.take();
    if (reader.takeIf('IN')) return this.membership(path, isNegated);
    const operator = COMPARISONS.find((candidate) => reader.isAt(candidate));
    if (operator === undefined) throw reader.unexpected('expecting =, !=, <, <=, >, >=, LIKE, IN or NOT IN');
    reader.take();
    const value = parseLiteral(reader);
    return { kind: 'compare', path, operator: (operator === '<>' ? '!=' : operator) as CompareOperator, value };
  }

  private membership(path: FieldPath, isNegated: boolean): Condition {
    const { reader } = this;
    reader.expect('(');
    if (reader.isAt('SELECT')) return { kind: 'join', path, isNegated, query: this.join() };
    const values = [parseLiteral(reader)];
    while (reader.takeIf(',')) {
      if (values.length >= IN_VALUES_MAX) throw reader.unexpected(`no more than ${IN_VALUES_MAX} values in a list`);
      values.push(parseLiteral(reader));
    }
    reader.expect(')');
    return { kind: 'in', path, isNegated, values };
  }

  private join(): JoinQuery {
    const { reader } = this;
    const { position } = reader.peek();
    if (this.clause !== 'where') throw reader.malformed(position, 'Nesting of semi join sub-selects is not supported');
    if (++this.joins > JOINS_MAX) {
      throw reader.malformed(position, `Maximum of ${JOINS_MAX} semi join sub-selects are allowed in one query`);
    }
    reader.take();
    const path = parsePath(reader, 'the name of an id field');
    reader.expect('FROM');
    const from = reader.expectWord('the name of an object');
    const where = reader.takeIf('WHERE') ? parseCondition(reader, 'where of a sub-query') : undefined;
    reader.expect(')');
    return { path, from: { name: from.text, position: from.position }, where };
  }

  private refuseJoins(terms: readonly Condition[]): void {
    for (const term of terms) {
      if (term.kind === 'join') {
        const reason = "Semi join sub-selects are not allowed with the 'OR' operator";
        throw this.reader.malformed(term.path.position, reason);
      }
      if (term.kind === 'and' || term.kind === 'or') this.refuseJoins(term.terms);
      if (term.kind === 'not') this.refuseJoins([term.term]);
    }
  }
}

/** Parses a field name with the relationships in front of it; with `mayAggregate`, also an aggregate of one. */
export function parsePath(reader: TokenReader, what: string, mayAggregate = false): FieldPath {
  const token = reader.expectWord(what);
  const aggregate = AGGREGATES.find((name) => name === token.text.toUpperCase());
  if (!mayAggregate || aggregate === undefined || !reader.takeIf('('))
    return { segments: token.text.split('.'), position: token.position };
  const path = parsePath(reader, 'a field name');
  reader.expect(')');
  return { ...path, aggregate };
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
  const span = parseSpan(reader);
  if (span !== undefined) return span;
  throw reader.unexpected('expecting a quoted string, a number, a date or a date literal, true, false or null');
}

function parseSpan(reader: TokenReader): Literal | undefined {
  const token = reader.peek();
  const name = token.text.toUpperCase();
  const form = token.kind === 'word' ? dateLiteral(name) : undefined;
  if (form === undefined) return undefined;
  reader.take();
  if (form === 'plain') return { kind: 'span', name, count: 0, position: token.position };
  reader.expect(':');
  return { kind: 'span', name, count: reader.expectCount(`${name}:`), position: token.position };
}

/** Whether the day and the time exist: `2026-02-30` and `T25:00:00Z` do not. */
function isRealDate(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) return false;
  return !Number.isNaN(Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')));
}
