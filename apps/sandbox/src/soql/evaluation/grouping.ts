import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { SalesforceFault } from '../../org/org.errors.js';
import { compileCondition } from './condition.js';
import type { FieldReader } from '../parsing/field-reader.js';
import { GroupReader } from '../parsing/group-reader.js';
import { compileOrder } from './order.js';
import { valueJson } from '../record-json.js';
import type { RowJson } from '../select.js';
import { soqlFault } from '../soql-fault.js';
import type { FieldPath, SelectedField, SelectQuery } from '../soql.ast.js';

/** Maximum rows in an answer of groups, which cannot be paged. */
const GROUPS_MAX = 2_000;

/**
 * Compiles a grouped query to a function that turns the records matching its WHERE clause into rows: `AggregateResult`s
 * with the grouped fields and the aggregates. Everything is checked against the schema before any record is read.
 */
export function compileGrouping(
  reader: FieldReader,
  object: ObjectDefinition,
  query: SelectQuery,
): (records: Iterable<OrgRecord>) => RowJson[] {
  const groups = new GroupReader(reader, object, query.groupBy);
  const outputs = groupOutputs(reader, object, query);
  const values = outputs.map(({ name, path }) => ({ name, resolved: groups.resolve(object, path) }));
  const having = query.having === undefined ? () => true : compileCondition(groups, object, query.having);
  const order = compileOrder(groups, object, query.orderBy);
  return (records) => {
    const found = groups.groupsOf(records).filter(having);
    const ordered = order === undefined ? found : found.sort(order);
    const limited = ordered.slice(query.offset, query.offset + (query.limit ?? found.length));
    if (limited.length > GROUPS_MAX) throw tooManyGroups();
    return limited.map((group) => {
      const row: RowJson = { attributes: { type: 'AggregateResult' } };
      for (const { name, resolved } of values) row[name] = valueJson(resolved.field, groups.read(resolved, group));
      return row;
    });
  };
}

/** One value in the rows of a grouped query. */
export interface GroupOutput {
  readonly name: string;
  readonly path: FieldPath;
}

/**
 * The values in the rows of a grouped query: its fields by their names and its aggregates as `expr0`, `expr1`, …,
 * unless they have an alias.
 */
export function groupOutputs(reader: FieldReader, object: ObjectDefinition, { select }: SelectQuery): GroupOutput[] {
  let unnamed = 0;
  const seen = new Set<string>();
  const fields = select.filter((item): item is SelectedField => item.kind === 'field');
  return fields.map(({ path, alias }) => {
    const { field } = reader.resolve(object, path);
    const name = alias ?? (path.aggregate === undefined ? field.name : `expr${unnamed++}`);
    if (seen.has(name.toLowerCase())) {
      throw soqlFault('MALFORMED_QUERY', reader.soql, path.position, `duplicate alias: ${name}`);
    }
    seen.add(name.toLowerCase());
    return { name, path };
  });
}

function tooManyGroups(): SalesforceFault {
  const message = 'Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch';
  return new SalesforceFault(400, 'EXCEEDED_ID_LIMIT', message);
}
