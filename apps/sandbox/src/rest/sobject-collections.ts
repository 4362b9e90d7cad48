import type { ObjectDefinition } from '../org/object-definition.js';
import { notFound, SalesforceFault } from '../org/org.errors.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { bodyFields, checkedId, recordJson, requireMethod } from './sobjects.js';

/** Records in one collection request (REST API guide, "sObject Collections"). */
const WRITES_MAX = 200;
/** Records that one collection request can read. */
const READS_MAX = 2_000;

/** `/composite/sobjects` (create, change, delete many) and `/composite/sobjects/X` (read many, in the order asked for). */
export function sobjectCollections(call: ApiCall): ApiAnswer {
  const [, , objectName, ...rest] = call.path;
  if (rest.length > 0) throw notFound();
  if (objectName !== undefined) return retrieveMany(call, objectName);
  requireMethod(call, 'POST', 'PATCH', 'DELETE');
  return { status: 200, body: writeMany(call) };
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

function writeMany(call: ApiCall): unknown[] {
  const { transaction } = call;
  const fields = call.method === 'DELETE' ? {} : bodyFields(call.body);
  const allOrNone = call.method === 'DELETE' ? call.query.get('allOrNone') === 'true' : fields['allOrNone'] === true;
  const records = call.method === 'DELETE' ? texts(call.query.get('ids')?.split(',') ?? [], 'ids') : fields['records'];
  if (!Array.isArray(records)) throw new SalesforceFault(400, 'JSON_PARSER_ERROR', "a list 'records' is expected");
  if (records.length > WRITES_MAX) throw tooMany(WRITES_MAX);
  const start = transaction.mark();
  const results = records.map((record) => {
    const mark = transaction.mark();
    try {
      return { id: writeOne(call, record), success: true, errors: [] as unknown[] };
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
