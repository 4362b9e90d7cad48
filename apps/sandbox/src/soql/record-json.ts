import type { FieldDefinition, FieldValue, OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';

/** The record's `attributes`: its object and its URL. */
export function attributes(object: ObjectDefinition, id: string, version: string): { type: string; url: string } {
  return { type: object.name, url: `/services/data/${version}/sobjects/${object.name}/${id}` };
}

/** One field's value as REST shows it: date-times with `+0000`, addresses as objects. */
export function fieldJson(object: ObjectDefinition, field: FieldDefinition, record: OrgRecord): unknown {
  if (field.type === 'address') return addressJson(object, field, record);
  return valueJson(field, record[field.name] ?? null);
}

/** A stored value of this field as REST shows it. */
export function valueJson(field: FieldDefinition, value: FieldValue): FieldValue {
  return field.type === 'datetime' && typeof value === 'string' ? value.replace('Z', '+0000') : value;
}

function addressJson(object: ObjectDefinition, field: FieldDefinition, record: OrgRecord): unknown {
  const parts = [...object.fields].filter((part) => part.part?.of === field.name);
  if (parts.every((part) => (record[part.name] ?? null) === null)) return null;
  const address: Record<string, unknown> = { geocodeAccuracy: null, latitude: null, longitude: null };
  for (const part of parts) {
    const name = part.part?.as ?? '';
    address[name.charAt(0).toLowerCase() + name.slice(1)] = record[part.name] ?? null;
  }
  return address;
}
