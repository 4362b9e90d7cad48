import type { OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { compileCondition, type RecordTest } from './evaluation/condition.js';
import type { FieldReader } from './parsing/field-reader.js';
import type { ResolvedPath } from './parsing/path-reader.js';
import { compileOrder } from './evaluation/order.js';
import { attributes, fieldJson } from './record-json.js';
import type { SelectItem, SelectQuery } from './soql.ast.js';

/** One record of an answer: `attributes`, the selected fields, nested parents and child lists. */
export type RowJson = Record<string, unknown>;

type FillRow = (row: RowJson, record: OrgRecord) => void;

/**
 * Compiles a select list to a function that turns a record into a row. It checks every selected name against the schema
 * first.
 */
export function compileSelect(
  org: OrgState,
  reader: FieldReader,
  object: ObjectDefinition,
  items: readonly SelectItem[],
  version: string,
  withDeleted: boolean,
): (record: OrgRecord) => RowJson {
  const fills = items.map((item) =>
    item.kind === 'field'
      ? compileField(reader, object, reader.resolve(object, item.path), version)
      : compileChildren(org, reader, object, item.query, version, withDeleted),
  );
  return (record) => {
    const row: RowJson = { attributes: attributes(object, record.Id, version) };
    for (const fill of fills) fill(row, record);
    return row;
  };
}

function compileField(reader: FieldReader, object: ObjectDefinition, path: ResolvedPath, version: string): FillRow {
  return (row, record) => {
    let currentRow = row;
    let current = record;
    let currentObject = object;
    for (const step of path.parents) {
      const parent = reader.parent(step, current);
      if (parent === undefined) {
        currentRow[step.relationship] = null;
        return;
      }
      currentRow[step.relationship] ??= { attributes: attributes(step.object, parent.Id, version) };
      currentRow = currentRow[step.relationship] as RowJson;
      current = parent;
      currentObject = step.object;
    }
    currentRow[path.field.name] = fieldJson(currentObject, path.field, current);
  };
}

function compileChildren(
  org: OrgState,
  reader: FieldReader,
  parent: ObjectDefinition,
  query: SelectQuery,
  version: string,
  withDeleted: boolean,
): FillRow {
  const { child, field, name } = reader.children(parent, query.from);
  const test: RecordTest = query.where ? compileCondition(reader, child, query.where) : () => true;
  const order = compileOrder(reader, child, query.orderBy);
  const toRow = compileSelect(org, reader, child, query.select, version, withDeleted);
  return (row, record) => {
    const found = org
      .table(child)
      .childrenOf(field.name, record.Id)
      .filter((candidate) => (withDeleted || candidate['IsDeleted'] !== true) && test(candidate));
    const limited = (order ? found.sort(order) : found).slice(0, query.limit);
    row[name] = limited.length === 0 ? null : { totalSize: limited.length, done: true, records: limited.map(toRow) };
  };
}
