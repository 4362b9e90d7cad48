import type { ObjectDefinition } from '../../org/object-definition.js';
import { notFound } from '../../org/org.errors.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { bodyFields, checkedId, requireMethod } from '../call-checks.js';
import { describe, describeBrief } from './describe.js';
import { externalIdRow, noExternalId } from './external-id-rows.js';
import { replicated } from './replication.js';
import { row } from './row.js';

/** Names that take the place of an id or external id field; no resource lies below them. */
const BELOW: readonly string[] = ['describe', 'deleted', 'updated'];

/**
 * `/sobjects`, `/sobjects/X`, `/sobjects/X/describe`, `/sobjects/X/deleted`, `/sobjects/X/updated`, `/sobjects/X/{id}`
 * and `/sobjects/X/{external id field}/{value}`.
 * @param mayRead whether an object is shown in the list of all
 */
export function sobjects(call: ApiCall, mayRead: (object: ObjectDefinition) => boolean): ApiAnswer {
  const { org } = call.transaction;
  const [, objectName, id, value, ...rest] = call.path;
  if (objectName === undefined) {
    requireMethod(call, 'GET');
    const readable = org.schema.objects().filter(mayRead);
    const list = readable.map((object) => describeBrief(object, call.version));
    return { status: 200, body: { encoding: 'UTF-8', maxBatchSize: 200, sobjects: list } };
  }
  const object = org.schema.object(objectName);
  if (object === undefined || rest.length > 0) throw notFound();
  if (id === undefined) return collection(call, object);
  if (BELOW.includes(id) && value !== undefined) throw notFound();
  if (id === 'describe') {
    requireMethod(call, 'GET');
    return { status: 200, body: describe(org.schema, object, call.version) };
  }
  if (id === 'deleted' || id === 'updated') {
    requireMethod(call, 'GET');
    return { status: 200, body: replicated(call, object, id) };
  }
  // A segment that is no field of the object is an id if it has 15 or 18 characters, otherwise the wrong name of a
  // field.
  if (value !== undefined || object.field(id) !== undefined) return externalIdRow(call, object, id, value);
  if (id.length !== 15 && id.length !== 18) throw noExternalId(id);
  return row(call, object, checkedId(object, id));
}

function collection(call: ApiCall, object: ObjectDefinition): ApiAnswer {
  requireMethod(call, 'GET', 'POST');
  if (call.method === 'GET') {
    return { status: 200, body: { objectDescribe: describeBrief(object, call.version), recentItems: [] } };
  }
  const id = call.transaction.create(object.name, bodyFields(call.body));
  // A published platform event is only queued, so its success carries this entry (Platform Events guide, "Publish Event
  // Messages").
  const published = call.transaction.steps.at(-1);
  const errors =
    published?.kind === 'PUBLISH' ? [{ statusCode: 'OPERATION_ENQUEUED', message: published.uuid, fields: [] }] : [];
  return { status: 201, body: { id, success: true, errors } };
}
