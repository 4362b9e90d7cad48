import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { compileCondition, type RecordTest } from './evaluation/condition.js';
import { FieldReader } from './parsing/field-reader.js';
import { compileGrouping } from './evaluation/grouping.js';
import { compileOrder } from './evaluation/order.js';
import { parseQuery } from './query-parser.js';
import { compileSelect, type RowJson } from './select.js';
import { isGrouped } from './soql.ast.js';

/** The rows of a query and their number. `SELECT COUNT()` has no rows; its `totalSize` is the number of records. */
export interface QueryResult {
  readonly totalSize: number;
  readonly rows: readonly RowJson[];
}

/**
 * Answers a SOQL query from the org as it is now, or throws the `SalesforceFault` that Salesforce would answer with.
 * @param version the API version of the call, e.g. `v67.0`, for the records' URLs
 * @param withDeleted whether records in the recycle bin count (`/queryAll`)
 * @param mayRead whether the object exists for the user; parents and children are not checked
 */
export function runQuery(
  org: OrgState,
  soql: string,
  version: string,
  withDeleted: boolean,
  mayRead: (object: ObjectDefinition) => boolean = () => true,
): QueryResult {
  const query = parseQuery(soql);
  const reader = new FieldReader(org, soql, { withDeleted, mayRead });
  const object = reader.object(query.from);
  const test: RecordTest = query.where ? compileCondition(reader, object, query.where) : () => true;
  if (isGrouped(query)) {
    const toRows = compileGrouping(reader, object, query);
    const rows = toRows([...reader.records(object)].filter(test));
    return { totalSize: rows.length, rows };
  }
  const order = compileOrder(reader, object, query.orderBy);
  const toRow = compileSelect(org, reader, object, query.select, version, withDeleted);
  const found = [...reader.records(object)].filter(test);
  const limited = (order ? found.sort(order) : found).slice(query.offset, query.offset + (query.limit ?? found.length));
  return { totalSize: limited.length, rows: query.isCount ? [] : limited.map(toRow) };
}
