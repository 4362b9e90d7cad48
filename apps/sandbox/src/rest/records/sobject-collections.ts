import type { ObjectDefinition } from '../../org/object-definition.js';
import { ambiguous, externalIdField, recordsByExternalId } from '../../org/external-ids.js';
import { notFound, SalesforceFault } from '../../org/org.errors.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { requireVersion } from '../api-versions.js';
import { bodyFields, checkedId, requireMethod } from '../call-checks.js';
import { noExternalId } from './external-id-rows.js';
import { recordJson } from './row.js';

/** Maximum records that one collection request can write (REST API guide, "sObject Collections"). */
const WRITES_MAX = 200;
/** Maximum records that one collection request can read. */
const READS_MAX = 2_000;

/** The result of one record: an entry of the answer. */
type Result = {
  readonly id?: string;
  readonly success: boolean;
  readonly errors: readonly unknown[];
  readonly created?: boolean;
};
/** Writes one record of the request and returns its id. */
type Write = (record: unknown) => { readonly id: string; readonly created?: boolean };

/**
 * `/composite/sobjects` (create, change, delete many), `/composite/sobjects/X` (read many, in the order asked for) and
 * `/composite/sobjects/X/{external id field}` (create or change many).
 */
export function sobjectCollections(call: ApiCall): ApiAnswer {
  const [, , objectName, fieldName, ...rest] = call.path;
  if (rest.length > 0) throw notFound();
  requireVersion(call.version, 42);
  if (objectName !== undefined && fieldName !== undefined) {
    requireMethod(call, 'PATCH');
    return { status: 200, body: writeMany(call, upsertInto(call, objectName, fieldName)) };
  }
  if (objectName !== undefined) return retrieveMany(call, objectName);
  requireMethod(call, 'POST', 'PATCH', 'DELETE');
  return { status: 200, body: writeMany(call, (record) => ({ id: writeOne(call, record) })) };
}

function retrieveMany(call: ApiCall, objectName: string): ApiAnswer {
  requireMethod(call, 'GET', 'POST');
  const { org } = call.transaction;
  const object = org.schema.object(objectName);
  if (object === undefined) throw notFound();
  const asked = call.method === 'POST' ? bodyFields(call.body) : fromQuery(call);
  const ids = texts(asked['ids'], 'ids');
  const fields = texts(asked['fields'], 'fields');
  if (ids.length > READS_MAX) throw tooMany(READS_MAX);
  const body = ids.map((id) => {
    const record = org.find(object.name, checkedId(object, id));
    return record === undefined ? null : recordJson(object, record, fields, call.version);
  });
  return { status: 200, body };
}

function writeMany(call: ApiCall, write: Write): Result[] {
  const { transaction } = call;
  const fields = call.method === 'DELETE' ? {} : bodyFields(call.body);
  const allOrNone = call.method === 'DELETE' ? call.query.get('allOrNone') === 'true' : fields['allOrNone'] === true;
  const records = call.method === 'DELETE' ? texts(call.query.get('ids')?.split(',') ?? [], 'ids') : fields['records'];
  if (!Array.isArray(records)) throw new SalesforceFault(400, 'JSON_PARSER_ERROR', "a list 'records' is expected");
  if (records.length > WRITES_MAX) throw tooMany(WRITES_MAX);
  const start = transaction.mark();
  const results = records.map((record): Result => {
    const mark = transaction.mark();
    try {
      const { id, ...more } = write(record);
      return { id, success: true, errors: [], ...more };
    } catch (error) {
      if (!(error instanceof SalesforceFault)) throw error;
      transaction.rollbackTo(mark);
      return { success: false, errors: [errorEntry(error)] };
    }
  });
  if (!allOrNone || results.every((result) => result.success)) return results;
  transaction.rollbackTo(start);
  const rolledBack = new SalesforceFault(
    400,
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'Record rolled back because not all records were valid and the request was using AllOrNone header',
  );
  return results.map((result) => (result.success ? { success: false, errors: [errorEntry(rolledBack)] } : result));
}

function writeOne(call: ApiCall, record: unknown): string {
  const { transaction } = call;
  if (typeof record === 'string') {
    const object = transaction.org.schema.objectOfId(record);
    if (object === undefined) throw new SalesforceFault(400, 'MALFORMED_ID', `malformed id ${record}`);
    transaction.delete(object.name, checkedId(object, record));
    return record;
  }
  const { attributes, Id, id, ...fields } = bodyFields(record);
  const object = objectOf(call, attributes);
  if (call.method === 'POST') return transaction.create(object.name, fields);
  const recordId = checkedId(object, typeof Id === 'string' ? Id : typeof id === 'string' ? id : '');
  transaction.update(object.name, recordId, fields);
  return recordId;
}

/**
 * A `Write` that creates or changes a record by an external id. It throws for an id that names several records or
 * repeats one before it.
 */
function upsertInto(call: ApiCall, objectName: string, fieldName: string): Write {
  requireVersion(call.version, 46);
  const { transaction } = call;
  const object = transaction.org.schema.object(objectName);
  if (object === undefined) throw notFound();
  const field = externalIdField(object, fieldName);
  if (field === undefined) throw noExternalId(fieldName);
  const seen = new Set<string>();
  return (record) => {
    const { attributes, ...given } = bodyFields(record);
    if (objectOf(call, attributes) !== object) {
      throw new SalesforceFault(400, 'INVALID_TYPE', `every record of this request is of type ${object.name}`);
    }
    const key = Object.keys(given).find((name) => name.toLowerCase() === field.name.toLowerCase()) ?? field.name;
    const { [key]: value, ...fields } = given;
    if (field.type !== 'id' && (value === undefined || value === null || value === '')) {
      throw new SalesforceFault(400, 'MISSING_ARGUMENT', `${field.name} not specified`);
    }
    const name = typeof value === 'string' ? value : JSON.stringify(value);
    if (value !== undefined && seen.has(name.toLowerCase())) {
      throw new SalesforceFault(400, 'DUPLICATE_VALUE', `Duplicate external id specified: ${name}`);
    }
    if (value !== undefined) seen.add(name.toLowerCase());
    const [found, ...others] = recordsByExternalId(transaction.org, object, field, value);
    if (found !== undefined && others.length > 0) throw ambiguous(field, [found, ...others]);
    if (found === undefined && field.type === 'id' && value !== undefined) throw notFound();
    if (found === undefined) {
      const values = field.type === 'id' ? fields : { ...fields, [field.name]: value };
      return { id: transaction.create(object.name, values), created: true };
    }
    transaction.update(object.name, found.Id, fields);
    return { id: found.Id, created: false };
  };
}

function objectOf(call: ApiCall, attributes: unknown): ObjectDefinition {
  const type = (attributes as { type?: unknown } | undefined)?.type;
  const object = typeof type === 'string' ? call.transaction.org.schema.object(type) : undefined;
  if (object !== undefined) return object;
  throw new SalesforceFault(400, 'INVALID_TYPE', `sObject type '${String(type)}' is not supported.`);
}

function errorEntry(fault: SalesforceFault): unknown {
  return { statusCode: fault.errorCode, message: fault.message, fields: fault.fields ?? [] };
}

function fromQuery(call: ApiCall): Record<string, unknown> {
  return { ids: call.query.get('ids')?.split(','), fields: call.query.get('fields')?.split(',') };
}

function texts(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new SalesforceFault(400, 'JSON_PARSER_ERROR', `a list '${name}' of texts is expected`);
}

function tooMany(max: number): SalesforceFault {
  return new SalesforceFault(
    400,
    'EXCEEDED_ID_LIMIT',
    `record limit reached. cannot submit more than ${max} records in this call`,
  );
}
