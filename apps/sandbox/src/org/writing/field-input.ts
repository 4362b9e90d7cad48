import { toSalesforceId, isSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { FieldDefinition, FieldValue } from '../field-definition.js';
import { SalesforceFault } from '../org.errors.js';

/**
 * The stored form of a client's value for this field. Throws the `SalesforceFault` that Salesforce would answer with.
 * The transaction checks whether a referenced record exists.
 */
export function toFieldValue(field: FieldDefinition, input: unknown): FieldValue {
  if (input === null || input === undefined || input === '') return emptyValue(field);
  switch (field.type) {
    case 'boolean':
      return toBoolean(field, input);
    case 'int':
    case 'double':
    case 'currency':
      return toNumber(field, input);
    case 'date':
      return toDate(field, input);
    case 'datetime':
      return toDateTime(field, input);
    case 'reference':
    case 'id':
      return toId(field, input);
    default:
      return toText(field, input);
  }
}

function emptyValue(field: FieldDefinition): FieldValue {
  if (field.type === 'boolean') throw cannotDeserialize('boolean', 'null');
  return null;
}

function cannotDeserialize(type: string, value: unknown): SalesforceFault {
  const kind = typeof value === 'number' ? 'VALUE_NUMBER' : 'VALUE_STRING';
  return new SalesforceFault(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${type} from ${kind} value ${String(value)} or request may be missing a required field`,
  );
}

function toBoolean(_field: FieldDefinition, input: unknown): boolean {
  if (typeof input === 'boolean') return input;
  if (input === 'true' || input === 'false') return input === 'true';
  throw cannotDeserialize('boolean', input);
}

function toNumber(field: FieldDefinition, input: unknown): number {
  const value = typeof input === 'string' ? Number(input) : input;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw cannotDeserialize(field.type, input);
  if (field.type === 'int' && !Number.isInteger(value)) throw cannotDeserialize('int', input);
  return value;
}

function toDate(field: FieldDefinition, input: unknown): string {
  const text = typeof input === 'string' ? (/^(\d{4}-\d{2}-\d{2})(T.*)?$/.exec(input)?.[1] ?? '') : '';
  const parsed = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== text)
    throw cannotDeserialize(field.type, input);
  return text;
}

function toDateTime(field: FieldDefinition, input: unknown): string {
  if (typeof input === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/.test(input)) {
    const parsed = new Date(input.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
    if (!Number.isNaN(parsed.getTime())) return new Date(Math.floor(parsed.getTime() / 1000) * 1000).toISOString();
  }
  throw cannotDeserialize(field.type, input);
}

function toId(field: FieldDefinition, input: unknown): string {
  if (typeof input === 'string' && isSalesforceId(input)) return toSalesforceId(input);
  throw new SalesforceFault(400, 'MALFORMED_ID', `${field.label}: id value of incorrect type: ${String(input)}`, [
    field.name,
  ]);
}

function toText(field: FieldDefinition, input: unknown): string {
  if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'boolean') {
    throw cannotDeserialize('string', JSON.stringify(input));
  }
  const text = String(input);
  if (text.length > field.length) {
    const message = `${field.label}: data value too large: ${text.slice(0, 80)} (max length=${field.length})`;
    throw new SalesforceFault(400, 'STRING_TOO_LONG', message, [field.name]);
  }
  if (field.restricted && !field.picklist.includes(text)) {
    const message = `${field.label}: bad value for restricted picklist field: ${text}`;
    throw new SalesforceFault(400, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message, [field.name]);
  }
  return text;
}
