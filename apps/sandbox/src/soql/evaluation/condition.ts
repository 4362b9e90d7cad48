import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { comparable, wrongType, type Comparable } from './comparable.js';
import { dateSpan, type DateSpan } from '../parsing/date-span.js';
import { likePattern } from './like-pattern.js';
import type { PathReader, ResolvedPath } from '../parsing/path-reader.js';
import { compileJoin } from './semi-join.js';
import { soqlFault } from '../soql-fault.js';
import type { CompareOperator, Condition, FieldPath, Literal } from '../soql.ast.js';

export type RecordTest = (record: OrgRecord) => boolean;

/**
 * Compiles a condition to a test of records. It checks the condition against the schema before any record is tested, so
 * that a wrong query is refused even if no record matches. Logic has two values, as in SOQL: `!=` and `NOT` are true of
 * empty fields.
 */
export function compileCondition(reader: PathReader, object: ObjectDefinition, condition: Condition): RecordTest {
  switch (condition.kind) {
    case 'and': {
      const tests = condition.terms.map((term) => compileCondition(reader, object, term));
      return (record) => tests.every((test) => test(record));
    }
    case 'or': {
      const tests = condition.terms.map((term) => compileCondition(reader, object, term));
      return (record) => tests.some((test) => test(record));
    }
    case 'not': {
      const test = compileCondition(reader, object, condition.term);
      return (record) => !test(record);
    }
    case 'in':
      return compileIn(reader, filterable(reader, object, condition.path), condition.values, condition.isNegated);
    case 'join':
      return compileJoin(reader, object, condition, compileCondition);
    case 'compare':
      return compileCompare(reader, object, condition);
  }
}

function filterable(reader: PathReader, object: ObjectDefinition, path: FieldPath): ResolvedPath {
  const resolved = reader.resolve(object, path);
  if (resolved.field.type === 'address') {
    throw reader.invalid(path, `field '${resolved.field.name}' can not be filtered in a query call`);
  }
  return resolved;
}

function compileIn(reader: PathReader, path: ResolvedPath, values: readonly Literal[], isNegated: boolean): RecordTest {
  const wanted = new Set<Comparable>(values.map((value) => comparable(reader.soql, path.field, value)));
  return (record) => wanted.has(stored(reader, path, record)) !== isNegated;
}

function compileCompare(
  reader: PathReader,
  object: ObjectDefinition,
  { path, operator, value }: Extract<Condition, { kind: 'compare' }>,
): RecordTest {
  const resolved = filterable(reader, object, path);
  if (operator === 'LIKE') return compileLike(reader, resolved, path, value);
  if (value.kind === 'span') return compileSpan(reader, resolved, operator, value);
  const wanted = comparable(reader.soql, resolved.field, value);
  if (operator === '=') return (record) => stored(reader, resolved, record) === wanted;
  if (operator === '!=') return (record) => stored(reader, resolved, record) !== wanted;
  if (wanted === null || typeof wanted === 'boolean' || isId(resolved)) {
    const reason = `invalid operator '${operator}' for ${wanted === null ? 'null' : `a field of type ${resolved.field.type}`}`;
    throw soqlFault('INVALID_QUERY_FILTER_OPERATOR', reader.soql, path.position, reason);
  }
  return (record) => {
    const have = stored(reader, resolved, record);
    return have !== null && isOrdered(have, operator, wanted);
  };
}

/** Compares with a span of time: `< TODAY` is before its beginning, `<= TODAY` before its end. */
function compileSpan(
  reader: PathReader,
  resolved: ResolvedPath,
  operator: CompareOperator,
  value: Extract<Literal, { kind: 'span' }>,
): RecordTest {
  const { type } = resolved.field;
  if (type !== 'date' && type !== 'datetime') {
    throw soqlFault('INVALID_FIELD', reader.soql, value.position, wrongType(resolved.field));
  }
  const span = dateSpan(value.name, value.count, reader.now);
  if (span === undefined) {
    throw soqlFault(
      'NUMBER_OUTSIDE_VALID_RANGE',
      reader.soql,
      value.position,
      `${value.name}:${value.count} is too far away`,
    );
  }
  return (record) => {
    const have = reader.read(resolved, record);
    const at = typeof have === 'string' ? Date.parse(have) : undefined;
    return at === undefined ? operator === '!=' : isPlaced(at, operator, span);
  };
}

function isPlaced(at: number, operator: CompareOperator, { start, end }: DateSpan): boolean {
  switch (operator) {
    case '=':
      return at >= start && at < end;
    case '!=':
      return at < start || at >= end;
    case '<':
      return at < start;
    case '<=':
      return at < end;
    case '>':
      return at >= end;
    default:
      return at >= start;
  }
}

function compileLike(reader: PathReader, resolved: ResolvedPath, path: FieldPath, value: Literal): RecordTest {
  if (!['string', 'textarea', 'picklist'].includes(resolved.field.type)) {
    const reason = `invalid operator 'LIKE' on ${resolved.field.type} field '${resolved.field.name}'`;
    throw soqlFault('INVALID_QUERY_FILTER_OPERATOR', reader.soql, path.position, reason);
  }
  if (value.kind !== 'string')
    throw soqlFault('MALFORMED_QUERY', reader.soql, value.position, 'LIKE takes a quoted string');
  const matches = likePattern(value.literal);
  return (record) => {
    const have = reader.read(resolved, record);
    return typeof have === 'string' && matches(have);
  };
}

function isOrdered(have: Comparable, operator: CompareOperator, wanted: Comparable): boolean {
  if (have === null || wanted === null) return false;
  switch (operator) {
    case '<':
      return have < wanted;
    case '<=':
      return have <= wanted;
    case '>':
      return have > wanted;
    default:
      return have >= wanted;
  }
}

function isId({ field }: ResolvedPath): boolean {
  return field.type === 'id' || field.type === 'reference';
}

/** The record's value in the form that `comparable` gives literals of the same field. */
function stored(reader: PathReader, path: ResolvedPath, record: OrgRecord): Comparable {
  const value = reader.read(path, record);
  if (typeof value !== 'string' || isId(path)) return value;
  if (path.field.type === 'datetime') return Date.parse(value);
  return path.field.type === 'date' ? value : value.toLowerCase();
}
