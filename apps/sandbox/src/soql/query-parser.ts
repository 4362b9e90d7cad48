import { parseCondition, parsePath } from './condition-parser.js';
import { soqlFault } from './soql-fault.js';
import type { OrderTerm, SelectItem, SelectQuery } from './soql.ast.js';
import { TokenReader } from './token-reader.js';

/** The highest OFFSET that Salesforce takes. */
const OFFSET_MAX = 2_000;
/** Child sub-queries in one query (SOQL and SOSL Reference, "Relationship Query Limitations"). */
const CHILD_QUERIES_MAX = 20;

/**
 * The query that this text says. What this sandbox does not know of SOQL (GROUP BY, aggregates, aliases, semi-joins,
 * TYPEOF, date literals, …) is MALFORMED_QUERY with its position: never a silently wrong answer.
 */
export function parseQuery(soql: string): SelectQuery {
  const reader = new TokenReader(soql);
  const query = parseSelect(reader, false);
  if (reader.peek().kind !== 'end')
    throw reader.unexpected('expecting WHERE, ORDER BY, LIMIT, OFFSET or the end of the query');
  return query;
}

function parseSelect(reader: TokenReader, isChild: boolean): SelectQuery {
  reader.expect('SELECT');
  const isCount = !isChild && reader.isAt('COUNT') && reader.isAt('(', 1) && reader.isAt(')', 2);
  if (isCount) for (let taken = 0; taken < 3; taken++) reader.take();
  const select = isCount ? [] : parseSelectList(reader, isChild);
  reader.expect('FROM');
  const from = reader.expectWord(isChild ? 'the name of a child relationship' : 'the name of an object');
  const where = reader.takeIf('WHERE') ? parseCondition(reader) : undefined;
  const orderBy = reader.takeIf('ORDER') ? parseOrderBy(reader) : [];
  const limit = reader.takeIf('LIMIT') ? reader.expectCount('LIMIT') : undefined;
  const offset = !isChild && reader.isAt('OFFSET') ? parseOffset(reader) : 0;
  return { select, isCount, from: { name: from.text, position: from.position }, where, orderBy, limit, offset };
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
      const path = parsePath(reader, 'a field name');
      if (reader.isAt('(')) throw reader.unexpected('functions and aggregates are not supported here, COUNT() apart');
      items.push({ kind: 'field', path });
    }
  } while (reader.takeIf(','));
  refuseDuplicates(reader, items);
  return items;
}

function refuseDuplicates(reader: TokenReader, items: readonly SelectItem[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    const name = item.kind === 'field' ? item.path.segments.join('.') : `(${item.query.from.name})`;
    const position = item.kind === 'field' ? item.path.position : item.query.from.position;
    if (seen.has(name.toLowerCase())) throw reader.malformed(position, `duplicate field selected: ${name}`);
    seen.add(name.toLowerCase());
  }
}

function parseOrderBy(reader: TokenReader): OrderTerm[] {
  reader.expect('BY');
  const terms: OrderTerm[] = [];
  do {
    const path = parsePath(reader, 'a field name');
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
