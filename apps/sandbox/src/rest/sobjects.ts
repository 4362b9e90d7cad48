import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import { noSuchColumn, notFound, SalesforceFault } from '../org/org.errors.js';
import { attributes, fieldJson } from '../soql/record-json.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { describe, describeBrief } from './describe.js';
import { replicated } from './replication.js';

/**
 * `/sobjects`, `/sobjects/X`, `/sobjects/X/describe`, `/sobjects/X/deleted`, `/sobjects/X/updated` and `/sobjects/X/{id}`.
 * @param mayRead whether an object is shown in the list of all
 */
export function sobjects(call: ApiCall, mayRead: (object: ObjectDefinition) => boolean): ApiAnswer {
  const { org } = call.transaction;
  const [, objectName, id, ...rest] = call.path;
  if (objectName === undefined) {
    requireMethod(call, 'GET');
    const readable = org.schema.objects().filter(mayRead);
    const list = readable.map((object) => describeBrief(object, call.version));
    return { status: 200, body: { encoding: 'UTF-8', maxBatchSize: 200, sobjects: list } };
  }
  const object = org.schema.object(objectName);
  if (object === undefined || rest.length > 0) throw notFound();
  if (id === undefined) return collection(call, object);
  if (id === 'describe') {
    requireMethod(call, 'GET');
    return { status: 200, body: describe(org.schema, object, call.version) };
  }
  if (id === 'deleted' || id === 'updated') {
    requireMethod(call, 'GET');
    return { status: 200, body: replicated(call, object, id) };
  }
  return record(call, object, checkedId(object, id));
}

function collection(call: ApiCall, object: ObjectDefinition): ApiAnswer {
  requireMethod(call, 'GET', 'POST');
  if (call.method === 'GET') {
    return { status: 200, body: { objectDescribe: describeBrief(object, call.version), recentItems: [] } };
  }
  const id = call.transaction.create(object.name, bodyFields(call.body));
  // A published platform event is only queued: its success carries this entry (Platform Events guide, "Publish Event Messages").
  const published = call.transaction.steps.at(-1);
  const errors =
    published?.kind === 'PUBLISH' ? [{ statusCode: 'OPERATION_ENQUEUED', message: published.uuid, fields: [] }] : [];
  return { status: 201, body: { id, success: true, errors } };
}

function record(call: ApiCall, object: ObjectDefinition, id: string): ApiAnswer {
  requireMethod(call, 'GET', 'PATCH', 'DELETE');
  const { transaction } = call;
  if (call.method === 'GET') {
    const found = transaction.org.find(object.name, id);
    if (found === undefined) throw notFound();
    const fields = call.query.get('fields');
    return {
      status: 200,
      body: recordJson(
        object,
        found,
        fields?.split(',').map((name) => name.trim()),
        call.version,
      ),
    };
  }
  if (call.method === 'PATCH') transaction.update(object.name, id, bodyFields(call.body));
  else transaction.delete(object.name, id);
  return { status: 204 };
}

/** A record with the named fields, or all of them; INVALID_FIELD for a name the object does not have. */
export function recordJson(
  object: ObjectDefinition,
  record: OrgRecord,
  names: readonly string[] | undefined,
  version: string,
): Record<string, unknown> {
  const body: Record<string, unknown> = { attributes: attributes(object, record.Id, version) };
  const fields = names?.map((name) => {
    const field = object.field(name);
    if (field === undefined) throw noSuchColumn(name, object.name);
    return field;
  });
  for (const field of fields ?? object.fields) body[field.name] = fieldJson(object, field, record);
  return body;
}

/** The 18-character form of an id in a URL or body; MALFORMED_ID if it is none, or one of another object. */
export function checkedId(object: ObjectDefinition, id: string): string {
  if (isSalesforceId(id) && id.startsWith(object.keyPrefix)) return toSalesforceId(id);
  throw new SalesforceFault(400, 'MALFORMED_ID', `${object.name} ID: id value of incorrect type: ${id}`, ['Id']);
}

/** The body as a JSON object of fields. */
export function bodyFields(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new SalesforceFault(400, 'JSON_PARSER_ERROR', 'The HTTP entity body is required to be a JSON object');
}

/** Refuses every other method: 405, with those that are allowed. */
export function requireMethod(call: ApiCall, ...allowed: string[]): void {
  if (allowed.includes(call.method)) return;
  const message = `HTTP Method '${call.method}' not allowed. Allowed are ${allowed.join(',')}`;
  throw new SalesforceFault(405, 'METHOD_NOT_ALLOWED', message);
}
