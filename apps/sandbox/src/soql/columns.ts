import type { FieldDefinition, FieldType } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { aggregateType } from './evaluation/aggregates.js';
import { compileCondition } from './evaluation/condition.js';
import { FieldReader, type QueryScope } from './parsing/field-reader.js';
import { groupOutputs } from './evaluation/grouping.js';
import { parseQuery } from './query-parser.js';
import { isGrouped, type SelectItem, type SelectQuery } from './soql.ast.js';

/** One column of an answer; a parent and a sub-query have nested columns. */
interface Column {
  readonly aggregate: boolean;
  readonly apexType: string | null;
  readonly booleanType: boolean;
  readonly columnName: string;
  readonly custom: boolean;
  readonly displayName: string;
  readonly foreignKeyName: string | null;
  readonly insertable: boolean;
  readonly joinColumns: Column[];
  readonly numberType: boolean;
  readonly textType: boolean;
  readonly updatable: boolean;
}

const APEX_TYPES: Readonly<Record<FieldType, string>> = {
  id: 'Id',
  reference: 'Id',
  string: 'String',
  textarea: 'String',
  picklist: 'String',
  boolean: 'Boolean',
  int: 'Integer',
  double: 'Double',
  currency: 'Double',
  date: 'Date',
  datetime: 'Datetime',
  address: 'Address',
};

/**
 * The answer of `/query?q=…&columns=true`: the columns of the query instead of its records. Salesforce does not
 * document it; the form is that of the answers which the `sf` command line is tested with.
 */
export function queryColumns(org: OrgState, soql: string, scope: QueryScope): Record<string, unknown> {
  const query = parseQuery(soql);
  const reader = new FieldReader(org, soql, scope);
  const object = reader.object(query.from);
  if (query.where !== undefined) compileCondition(reader, object, query.where);
  const columns = isGrouped(query) ? groupColumns(reader, object, query) : selectColumns(reader, object, query.select);
  const isId = (item: SelectItem): boolean =>
    item.kind === 'field' && item.path.aggregate === undefined && item.path.segments.join('.').toLowerCase() === 'id';
  return {
    columnMetadata: columns,
    entityName: object.name,
    groupBy: query.groupBy.length > 0,
    idSelected: query.select.some(isId),
    keyPrefix: object.keyPrefix,
  };
}

/**
 * Like `queryColumns`, for an object that is in no schema (the Tooling API's): every column is a text that cannot be
 * written.
 */
export function textColumns(entityName: string, keyPrefix: string, names: readonly string[]): Record<string, unknown> {
  const columnMetadata = names.map((name) => column(name, { apexType: 'String', textType: true }));
  return { columnMetadata, entityName, groupBy: false, idSelected: names.includes('Id'), keyPrefix };
}

function selectColumns(reader: FieldReader, object: ObjectDefinition, items: readonly SelectItem[]): Column[] {
  const columns: Column[] = [];
  for (const item of items) {
    if (item.kind === 'children') {
      const { child, name } = reader.children(object, item.query.from);
      const joinColumns = selectColumns(reader, child, item.query.select);
      columns.push(column(name, { aggregate: true, joinColumns }));
      continue;
    }
    const { parents, field } = reader.resolve(object, item.path);
    let list = columns;
    for (const { relationship, lookup } of parents) {
      let parent = list.find((column) => column.columnName === relationship && column.foreignKeyName !== null);
      if (parent === undefined) {
        parent = column(relationship, { foreignKeyName: lookup.name, custom: lookup.name.endsWith('__c') });
        list.push(parent);
      }
      list = parent.joinColumns;
    }
    list.push(fieldColumn(field, field.name));
  }
  return columns;
}

function groupColumns(reader: FieldReader, object: ObjectDefinition, query: SelectQuery): Column[] {
  return groupOutputs(reader, object, query).map(({ name, path }) => {
    const { field } = reader.resolve(object, path);
    if (path.aggregate === undefined) return fieldColumn(field, name);
    const type = aggregateType(path.aggregate, field);
    const displayName = `${path.aggregate.toLowerCase()}(${path.segments.join('.')})`;
    return column(name, { aggregate: true, displayName, ...kindsOf(type) });
  });
}

function fieldColumn(field: FieldDefinition, name: string): Column {
  return column(name, {
    ...kindsOf(field.type),
    apexType: APEX_TYPES[field.type],
    custom: field.name.endsWith('__c'),
    insertable: field.createable,
    updatable: field.updateable,
  });
}

function kindsOf(type: FieldType): Pick<Column, 'booleanType' | 'numberType' | 'textType'> {
  const apexType = APEX_TYPES[type];
  return {
    booleanType: apexType === 'Boolean',
    numberType: apexType === 'Integer' || apexType === 'Double',
    textType: apexType === 'String',
  };
}

/** A column with neutral defaults, overridden by `more`. */
function column(columnName: string, more: Partial<Column>): Column {
  return {
    aggregate: false,
    apexType: null,
    booleanType: false,
    columnName,
    custom: false,
    displayName: columnName,
    foreignKeyName: null,
    insertable: false,
    joinColumns: [],
    numberType: false,
    textType: false,
    updatable: false,
    ...more,
  };
}
