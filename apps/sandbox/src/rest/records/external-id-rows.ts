import { externalIdField, recordsByExternalId } from '../../org/external-ids.js';
import type { FieldDefinition, OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { notFound, SalesforceFault } from '../../org/org.errors.js';
import { attributes } from '../../soql/record-json.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { versionNumber } from '../api-versions.js';
import { bodyFields, requireMethod } from '../call-checks.js';
import { row } from './row.js';

/** The API version since which an upsert that changes a record answers 200 with a body; before, it was an empty 204. */
const UPDATED_WITH_BODY = 46;

/**
 * `/sobjects/X/{field}/{value}`: reads, changes or creates ("upsert"), or deletes the record that an external id names.
 * Several records answer 300 with their addresses (REST API guide, "sObject Rows by External ID").
 * `POST /sobjects/X/Id` creates.
 */
export function externalIdRow(
  call: ApiCall,
  object: ObjectDefinition,
  name: string,
  value: string | undefined,
): ApiAnswer {
  const field = externalIdField(object, name);
  if (field === undefined) throw noExternalId(name);
  if (value === undefined) return createById(call, object, field);
  requireMethod(call, 'GET', 'PATCH', 'DELETE');
  const { transaction, version } = call;
  const [found, ...others] = recordsByExternalId(transaction.org, object, field, value);
  if (others.length > 0) return several(object, [found as OrgRecord, ...others], version);
  if (call.method !== 'PATCH') {
    if (found === undefined) throw notFound();
    return row(call, object, found.Id);
  }
  const fields = fieldsWithout(field, bodyFields(call.body));
  if (found !== undefined) {
    transaction.update(object.name, found.Id, fields);
    if (versionNumber(version) < UPDATED_WITH_BODY) return { status: 204 };
    return { status: 200, body: { id: found.Id, success: true, errors: [], created: false } };
  }
  if (field.type === 'id' || call.query.get('updateOnly') === 'true') throw notFound();
  const id = transaction.create(object.name, { ...fields, [field.name]: value });
  return { status: 201, body: { id, success: true, errors: [], created: true } };
}

/**
 * The refusal of a name that is no external id field. Salesforce answers it for every segment after the object that is
 * no id.
 */
export function noExternalId(name: string): SalesforceFault {
  return new SalesforceFault(
    404,
    'NOT_FOUND',
    `Provided external ID field does not exist or is not accessible: ${name}`,
  );
}

function createById(call: ApiCall, object: ObjectDefinition, field: FieldDefinition): ApiAnswer {
  if (field.type !== 'id') throw notFound();
  requireMethod(call, 'POST');
  const id = call.transaction.create(object.name, bodyFields(call.body));
  return { status: 201, body: { id, success: true, errors: [], created: true } };
}

function several(object: ObjectDefinition, records: readonly OrgRecord[], version: string): ApiAnswer {
  return { status: 300, body: records.map(({ Id }) => attributes(object, Id, version).url) };
}

/** Throws INVALID_FIELD if the body names the external id, as its value could differ from the one in the address. */
function fieldsWithout(field: FieldDefinition, fields: Record<string, unknown>): Record<string, unknown> {
  const given = Object.keys(fields).find((name) => name.toLowerCase() === field.name.toLowerCase());
  if (given === undefined) return fields;
  const message = `The ${field.name} field should not be specified in the sobject data.`;
  throw new SalesforceFault(400, 'INVALID_FIELD', message, [field.name]);
}
