import type { FieldDefinition } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { notFound, SalesforceFault } from '../../org/org.errors.js';
import type { Schema } from '../../org/schema.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { requireVersion } from '../api-versions.js';
import { bodyFields, requireMethod } from '../call-checks.js';

/** Limits of one request (REST API guide, "sObject Tree"). */
const RECORDS_MAX = 200;
const LEVELS_MAX = 5;
const TYPES_MAX = 5;

/** One record to be created, and the field that holds its parent's id. */
interface Node {
  readonly object: ObjectDefinition;
  readonly referenceId: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly parent: { readonly node: Node; readonly lookup: FieldDefinition } | undefined;
}

/**
 * `/composite/tree/X`: creates records and the records nested in them, level by level, all or none. A failure answers
 * 400 and names the records that caused it (REST API guide, "sObject Tree Response Body").
 */
export function sobjectTree(call: ApiCall): ApiAnswer {
  requireVersion(call.version, 34);
  const [, , objectName, ...rest] = call.path;
  const { transaction } = call;
  const root = objectName === undefined ? undefined : transaction.org.schema.object(objectName);
  if (root === undefined || rest.length > 0) throw notFound();
  requireMethod(call, 'POST');
  const nodes = nodesOf(transaction.org.schema, root, bodyFields(call.body)['records']);
  const repeated = nodes.filter((node) =>
    nodes.some((other) => other !== node && other.referenceId === node.referenceId),
  );
  if (repeated.length > 0) return failed(repeated.map((node) => [node, duplicateReference()]));
  const start = transaction.mark();
  const ids = new Map<Node, string>();
  for (const node of nodes) {
    try {
      const own = node.parent === undefined ? {} : { [node.parent.lookup.name]: ids.get(node.parent.node) };
      ids.set(node, transaction.create(node.object.name, { ...node.fields, ...own }));
    } catch (error) {
      if (!(error instanceof SalesforceFault)) throw error;
      transaction.rollbackTo(start);
      return failed([[node, error]]);
    }
  }
  const results = nodes.map((node) => ({ referenceId: node.referenceId, id: ids.get(node) }));
  return { status: 201, body: { hasErrors: false, results } };
}

function failed(causes: readonly (readonly [Node, SalesforceFault])[]): ApiAnswer {
  const results = causes.map(([{ referenceId }, { errorCode, message, fields }]) => ({
    referenceId,
    errors: [{ statusCode: errorCode, message, fields: fields ?? [] }],
  }));
  return { status: 400, body: { hasErrors: true, results } };
}

/** All records of the trees, level by level from the top. */
function nodesOf(schema: Schema, root: ObjectDefinition, records: unknown): Node[] {
  let level = listOf(records, 'records').map((record) => ({
    object: root,
    record,
    parent: undefined as Node['parent'],
  }));
  const nodes: Node[] = [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > LEVELS_MAX) throw limitExceeded(`a tree has no more than ${LEVELS_MAX} levels`);
    const below: typeof level = [];
    for (const { object, record, parent } of level) {
      const { node, children } = nodeOf(schema, object, record, parent);
      nodes.push(node);
      below.push(...children);
    }
    if (nodes.length > RECORDS_MAX) throw limitExceeded(`no more than ${RECORDS_MAX} records in one request`);
    level = below;
  }
  const types = new Set(nodes.map(({ object }) => object.name));
  if (types.size > TYPES_MAX) throw limitExceeded(`no more than ${TYPES_MAX} types of records in one request`);
  return nodes;
}

function nodeOf(schema: Schema, object: ObjectDefinition, record: unknown, parent: Node['parent']) {
  const { attributes, ...entries } = bodyFields(record);
  const { type, referenceId } = bodyFields(attributes ?? {});
  if (typeof referenceId !== 'string' || referenceId === '') {
    throw invalid('Include a reference ID for each record in the request.');
  }
  if (typeof type !== 'string' || schema.object(type) !== object) {
    throw invalid(`The type of the record ${referenceId} has to be ${object.name}.`);
  }
  const fields: Record<string, unknown> = {};
  const node: Node = { object, referenceId, fields, parent };
  const children: { object: ObjectDefinition; record: unknown; parent: Node['parent'] }[] = [];
  for (const [name, value] of Object.entries(entries)) {
    const relationship = schema.children(object).find((child) => child.name?.toLowerCase() === name.toLowerCase());
    if (relationship === undefined) {
      fields[name] = value;
      continue;
    }
    const belongsTo = { node, lookup: relationship.field };
    for (const nested of listOf(bodyFields(value)['records'], `${name}.records`)) {
      children.push({ object: relationship.child, record: nested, parent: belongsTo });
    }
  }
  return { node, children };
}

function listOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new SalesforceFault(400, 'JSON_PARSER_ERROR', `a list '${name}' is expected`);
}

function duplicateReference(): SalesforceFault {
  return invalid('Duplicate ReferenceId provided in the request.');
}

function invalid(message: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_INPUT', message);
}

function limitExceeded(message: string): SalesforceFault {
  return new SalesforceFault(400, 'LIMIT_EXCEEDED', message);
}
