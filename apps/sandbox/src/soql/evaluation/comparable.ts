import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { FieldDefinition } from '../../org/field-definition.js';
import { soqlFault } from '../soql-fault.js';
import type { Literal } from '../soql.ast.js';

/** A value in its form for comparison: text in lower case, ids with 18 characters, date-times as milliseconds. */
export type Comparable = string | number | boolean | null;

/**
 * The literal in the form of the field's values. Throws INVALID_FIELD for a literal of another type than the field, and
 * other faults for a text that is no id or has an escaped wildcard.
 */
export function comparable(soql: string, field: FieldDefinition, value: Literal): Comparable {
  if (value.kind === 'null') return null;
  switch (field.type) {
    case 'boolean':
      if (value.kind === 'boolean') return value.value;
      break;
    case 'int':
    case 'double':
    case 'currency':
      if (value.kind === 'number') return value.value;
      break;
    case 'date':
      if (value.kind === 'date') return value.text;
      break;
    case 'datetime':
      if (value.kind === 'datetime') return Date.parse(value.text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
      break;
    case 'id':
    case 'reference':
      if (value.kind === 'string') return idValue(soql, field, value.literal.text, value.position);
      break;
    default:
      if (value.kind === 'string') return textValue(soql, value);
  }
  throw soqlFault('INVALID_FIELD', soql, value.position, wrongType(field));
}

function textValue(soql: string, value: Extract<Literal, { kind: 'string' }>): string {
  if (value.literal.escapedWildcards.size > 0) {
    throw soqlFault('MALFORMED_QUERY', soql, value.position, "'\\%' and '\\_' may stand in a LIKE pattern only");
  }
  return value.literal.text.toLowerCase();
}

function idValue(soql: string, field: FieldDefinition, text: string, position: number): string | null {
  if (text === '') return null;
  if (isSalesforceId(text)) return toSalesforceId(text);
  throw soqlFault('INVALID_QUERY_FILTER_OPERATOR', soql, position, `invalid ID field: ${text} (field '${field.name}')`);
}

/** The error text for a literal of another type than the field's. */
export function wrongType(field: FieldDefinition): string {
  const isQuoted = !['boolean', 'int', 'double', 'currency', 'date', 'datetime'].includes(field.type);
  const quotes = isQuoted ? 'should be enclosed in quotes' : 'should not be enclosed in quotes';
  const type = field.type === 'datetime' ? 'dateTime' : field.type;
  return `value of filter criterion for field '${field.name}' must be of type ${isQuoted ? 'string' : type} and ${quotes}`;
}
