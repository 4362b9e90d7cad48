import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { noSuchColumn, notFound } from '../../org/org.errors.js';
import { attributes, fieldJson } from '../../soql/record-json.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { bodyFields, requireMethod } from '../call-checks.js';

/** Answers `GET`, `PATCH` or `DELETE` of one record. */
export function row(call: ApiCall, object: ObjectDefinition, id: string): ApiAnswer {
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

/** A record with the named fields, or all of them. Throws INVALID_FIELD for a name that the object does not have. */
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
