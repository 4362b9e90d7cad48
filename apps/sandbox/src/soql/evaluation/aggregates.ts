import type { FieldDefinition, FieldType, FieldValue } from '../../org/field-definition.js';
import type { Aggregate } from '../soql.ast.js';

const NUMBERS: readonly FieldType[] = ['int', 'double', 'currency'];
/** The field types whose values MIN and MAX can order. */
const ORDERED: readonly FieldType[] = [...NUMBERS, 'date', 'datetime', 'string', 'picklist'];

/**
 * Whether the field supports the aggregate (SOQL and SOSL Reference, "Support for Field Types in Aggregate Functions").
 */
export function canAggregate(aggregate: Aggregate, { type, length }: FieldDefinition): boolean {
  if (aggregate === 'SUM' || aggregate === 'AVG') return NUMBERS.includes(type);
  if (aggregate === 'MIN' || aggregate === 'MAX') return ORDERED.includes(type);
  return type !== 'address' && type !== 'boolean' && !(type === 'textarea' && length > 255);
}

/**
 * Whether records can be grouped by the field. Numbers with a fraction, date-times, long texts and addresses cannot
 * group.
 */
export function canGroup({ type, length }: FieldDefinition): boolean {
  if (type === 'textarea') return length <= 255;
  return !['double', 'currency', 'datetime', 'address'].includes(type);
}

/** The type of the aggregate's result. */
export function aggregateType(aggregate: Aggregate, field: FieldDefinition): FieldType {
  if (aggregate === 'COUNT' || aggregate === 'COUNT_DISTINCT') return 'int';
  return aggregate === 'AVG' ? 'double' : field.type;
}

/**
 * The aggregate over the values of a group. Empty values do not count; if all are empty, only the counts have a value.
 */
export function aggregateOf(aggregate: Aggregate, values: readonly FieldValue[]): FieldValue {
  const present = values.filter((value) => value !== null);
  if (aggregate === 'COUNT') return present.length;
  if (aggregate === 'COUNT_DISTINCT') return new Set(present).size;
  if (present.length === 0) return null;
  if (aggregate === 'MIN') return present.reduce((least, value) => (sortable(value) < sortable(least) ? value : least));
  if (aggregate === 'MAX') return present.reduce((most, value) => (sortable(value) > sortable(most) ? value : most));
  // Rounded to four decimals, so that a sum of prices shows no error of binary fractions.
  const sum = Math.round(present.reduce<number>((total, value) => total + Number(value), 0) * 10_000) / 10_000;
  return aggregate === 'SUM' ? sum : sum / present.length;
}

function sortable(value: string | number | boolean): string | number | boolean {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
