import type { OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { compileCondition, type RecordTest } from './condition.js';
import { FieldReader } from './field-reader.js';
import { compileOrder } from './order.js';
import { parseQuery } from './query-parser.js';
import { compileSelect, type RowJson } from './select.js';
import { soqlFault } from './soql-fault.js';
import type { SelectQuery } from './soql.ast.js';

/** What a query found. `rows` is empty for `SELECT COUNT()`; `totalSize` counts either way. */
export interface QueryResult {
  readonly totalSize: number;
  readonly rows: readonly RowJson[];
}

/**
 * Answers a SOQL query from the org as it is now, or throws the `SalesforceFault` that Salesforce would answer with.
 * @param version the API version of the call, e.g. `v67.0`, for the records' URLs
 * @param withDeleted whether records in the recycle bin count (`/queryAll`)
 * @param mayRead whether the object exists for the user; related objects are not looked at
 */
export function runQuery(
  org: OrgState,
  soql: string,
  version: string,
  withDeleted: boolean,
  mayRead: (object: ObjectDefinition) => boolean = () => true,
): QueryResult {
  const query = parseQuery(soql);
  const object = queryableObject(org, soql, query, mayRead);
  const reader = new FieldReader(org, soql);
  const test: RecordTest = query.where ? compileCondition(reader, object, query.where) : () => true;
  const order = compileOrder(reader, object, query.orderBy);
  const toRow = compileSelect(org, reader, object, query.select, version, withDeleted);
  const found: OrgRecord[] = [];
  for (const record of org.table(object).all()) {
    if ((withDeleted || record['IsDeleted'] !== true) && test(record)) found.push(record);
  }
  const limited = (order ? found.sort(order) : found).slice(query.offset, query.offset + (query.limit ?? found.length));
  return { totalSize: limited.length, rows: query.isCount ? [] : limited.map(toRow) };
}

function queryableObject(
  org: OrgState,
  soql: string,
  { from }: SelectQuery,
  mayRead: (object: ObjectDefinition) => boolean,
): ObjectDefinition {
  const named = org.schema.object(from.name);
  const object = named !== undefined && mayRead(named) ? named : undefined;
  if (object !== undefined && object.traits.isEvent !== true) return object;
  const reason = object
    ? `entity type ${object.name} does not support query`
    : `sObject type '${from.name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
  throw soqlFault('INVALID_TYPE', soql, from.position, reason);
}
