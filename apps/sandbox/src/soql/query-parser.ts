import { parseCondition, parsePath } from './parsing/condition-parser.js';
import { soqlFault } from './soql-fault.js';
import { isGrouped, type FieldPath, type OrderTerm, type SelectItem, type SelectQuery } from './soql.ast.js';
import { TokenReader } from './parsing/token-reader.js';

/** The highest OFFSET that Salesforce accepts. */
const OFFSET_MAX = 2_000;
/** Maximum child sub-queries in one query (SOQL and SOSL Reference, "Relationship Query Limitations"). */
const CHILD_QUERIES_MAX = 20;

/**
 * Parses a query. SOQL that this sandbox does not know (TYPEOF, date functions, ROLLUP, aliases of objects, …) throws
 * MALFORMED_QUERY with its position, so that no answer is silently wrong.
 */
export function parseQuery(soql: string): SelectQuery {
  const reader = new TokenReader(soql);
  const query = parseSelect(reader, false);
  if (reader.peek().kind !== 'end')
    throw reader.unexpected('expecting WHERE, GROUP BY, ORDER BY, LIMIT, OFFSET or the end of the query');
  refuseMisplaced(reader, query);
  return query;
}

function parseSelect(reader: TokenReader, isChild: boolean): SelectQuery {
  reader.expect('SELECT');
  const isCount = !isChild && reader.isAt('COUNT') && reader.isAt('(', 1) && reader.isAt(')', 2);
  if (isCount) for (let taken = 0; taken < 3; taken++) reader.take();
  const select = isCount ? [] : parseSelectList(reader, isChild);
  reader.expect('FROM');
  const from = reader.expectWord(isChild ? 'the name of a child relationship' : 'the name of an object');
  const where = reader.takeIf('WHERE') ? parseCondition(reader, isChild ? 'where of a sub-query' : 'where') : undefined;
  const groupBy = !isChild && !isCount && reader.takeIf('GROUP') ? parseGroupBy(reader) : [];
  const having = groupBy.length > 0 && reader.takeIf('HAVING') ? parseCondition(reader, 'having') : undefined;
  const orderBy = reader.takeIf('ORDER') ? parseOrderBy(reader, !isChild) : [];
  const limit = reader.takeIf('LIMIT') ? reader.expectCount('LIMIT') : undefined;
  const offset = !isChild && reader.isAt('OFFSET') ? parseOffset(reader) : 0;
  const object = { name: from.text, position: from.position };
  return { select, isCount, from: object, where, groupBy, having, orderBy, limit, offset };
}

function parseSelectList(reader: TokenReader, isChild: boolean): SelectItem[] {
  const items: SelectItem[] = [];
  let childQueries = 0;
  do {
    if (reader.isAt('(')) {
      if (isChild) throw reader.unexpected('a sub-query inside a sub-query is not supported here');
      if (++childQueries > CHILD_QUERIES_MAX) throw reader.unexpected(`no more than ${CHILD_QUERIES_MAX} sub-queries`);
      reader.take();
      items.push({ kind: 'children', query: parseSelect(reader, true) });
      reader.expect(')');
    } else {
      const path = parsePath(reader, 'a field name', !isChild);
      if (reader.isAt('(')) throw reader.unexpected('functions other than aggregates are not supported here');
      items.push({ kind: 'field', path, alias: parseAlias(reader) });
    }
  } while (reader.takeIf(','));
  refuseDuplicates(reader, items);
  return items;
}

/** Takes a word as an alias if a comma or FROM follows it. */
function parseAlias(reader: TokenReader): string | undefined {
  const isAlias =
    reader.peek().kind === 'word' && !reader.isAt('FROM') && (reader.isAt(',', 1) || reader.isAt('FROM', 1));
  return isAlias ? reader.take().text : undefined;
}

function parseGroupBy(reader: TokenReader): FieldPath[] {
  reader.expect('BY');
  const paths: FieldPath[] = [];
  do {
    paths.push(parsePath(reader, 'a field name'));
    if (reader.isAt('(')) throw reader.unexpected('ROLLUP, CUBE and date functions are not supported here');
  } while (reader.takeIf(','));
  return paths;
}

/** Throws for queries that the grammar accepts and Salesforce refuses. */
function refuseMisplaced(reader: TokenReader, query: SelectQuery): void {
  const grouped = isGrouped(query);
  for (const item of query.select) {
    if (item.kind === 'children') {
      if (grouped) throw reader.malformed(item.query.from.position, 'a grouped query cannot have a sub-query');
    } else if (item.alias !== undefined && !grouped) {
      throw reader.malformed(item.path.position, 'only aggregate expressions use field aliasing');
    }
  }
  const ordered = query.orderBy.find(({ path }) => path.aggregate !== undefined);
  if (ordered !== undefined && !grouped) {
    throw reader.malformed(ordered.path.position, 'an aggregate can order the groups of a grouped query only');
  }
  if (grouped && query.groupBy.length === 0 && query.limit !== undefined) {
    const reason = 'Non-grouped query that uses overall aggregate functions cannot also use LIMIT';
    throw reader.malformed(query.from.position, reason);
  }
}

function refuseDuplicates(reader: TokenReader, items: readonly SelectItem[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (item.kind === 'field' && (item.path.aggregate !== undefined || item.alias !== undefined)) continue;
    const name = item.kind === 'field' ? item.path.segments.join('.') : `(${item.query.from.name})`;
    const position = item.kind === 'field' ? item.path.position : item.query.from.position;
    if (seen.has(name.toLowerCase())) throw reader.malformed(position, `duplicate field selected: ${name}`);
    seen.add(name.toLowerCase());
  }
}

function parseOrderBy(reader: TokenReader, mayAggregate: boolean): OrderTerm[] {
  reader.expect('BY');
  const terms: OrderTerm[] = [];
  do {
    const path = parsePath(reader, 'a field name', mayAggregate);
    const isDescending = reader.takeIf('DESC') || (reader.takeIf('ASC'), false);
    terms.push({ path, isDescending, nulls: reader.takeIf('NULLS') ? parseNulls(reader) : 'first' });
  } while (reader.takeIf(','));
  return terms;
}

function parseNulls(reader: TokenReader): 'first' | 'last' {
  if (reader.takeIf('LAST')) return 'last';
  reader.expect('FIRST');
  return 'first';
}

function parseOffset(reader: TokenReader): number {
  const { position } = reader.take();
  const offset = reader.expectCount('OFFSET');
  if (offset > OFFSET_MAX) {
    const reason = `Maximum SOQL offset allowed is ${OFFSET_MAX}`;
    throw soqlFault('NUMBER_OUTSIDE_VALID_RANGE', reader.soql, position, reason);
  }
  return offset;
}
