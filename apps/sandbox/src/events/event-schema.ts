import { createHash } from 'node:crypto';
import type { FieldDefinition, FieldType } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import { CHANGE_TYPES } from './change-type.js';

/** A field of an event, or a compound field with its parts. */
export type EventField =
  | { readonly name: string; readonly field: FieldDefinition; readonly parts?: undefined }
  | { readonly name: string; readonly parts: readonly { readonly name: string; readonly field: FieldDefinition }[] };

/**
 * A field's position in the schema (0 is the header of a change event), and a part's position within its compound
 * field.
 */
export interface FieldPlace {
  readonly at: number;
  readonly part?: number;
  /** The name by which a CometD event lists the field as changed: `Status` or `BillingAddress.Street`. */
  readonly path: string;
}

/**
 * The fields of one object's events at one time. A schema never changes: an object that gets a field gets another
 * schema.
 */
export interface EventSchema {
  /** 22 characters, like the real ones; equal schemas have equal ids. */
  readonly id: string;
  /** For example `OrderChangeEvent` or `Account_Eligibility_Update__e`. */
  readonly name: string;
  readonly isChange: boolean;
  readonly fields: readonly EventField[];
  /** The Avro schema as `GetSchema` returns it. */
  readonly json: string;
  /** The places of the fields by their flat names (`BillingCity`). */
  readonly places: ReadonlyMap<string, FieldPlace>;
}

const NAMESPACE = 'com.sforce.eventbus';
const SYSTEM_FIELDS = ['CreatedDate', 'CreatedById', 'LastModifiedDate', 'LastModifiedById'];
const AVRO_TYPES: Partial<Record<FieldType, string>> = {
  boolean: 'boolean',
  int: 'int',
  double: 'double',
  currency: 'double',
  date: 'long',
  datetime: 'long',
};

/** The name of an object's change event: `OrderChangeEvent`, `Thing__ChangeEvent`. */
export function changeEventName(objectName: string): string {
  return `${objectName.replace(/__c$/, '__')}ChangeEvent`;
}

/** The channel that the events of an object are published on. */
export function channelOf(object: ObjectDefinition): string {
  return object.traits.isEvent === true ? `/event/${object.name}` : `/data/${changeEventName(object.name)}`;
}

/** The schema of the object's events, with the object's current fields. */
export function eventSchema(object: ObjectDefinition): EventSchema {
  const isChange = object.traits.isEvent !== true;
  const name = isChange ? changeEventName(object.name) : object.name;
  const fields = eventFields(object);
  const json = JSON.stringify(avroSchema(name, isChange, fields));
  const id = createHash('sha256').update(json).digest('base64url').slice(0, 22);
  return { id, name, isChange, fields, json, places: placesOf(fields, isChange ? 1 : 0) };
}

/**
 * The fields of an object's events. A change event has them in the order of Salesforce's own samples: standard fields,
 * then system fields, then custom ones. A new standard field therefore moves every field behind it, and a bitmap read
 * with another schema names the wrong fields.
 */
function eventFields(object: ObjectDefinition): EventField[] {
  const captured = [...object.fields].filter((field) => field.captured);
  const rank = ({ name }: FieldDefinition): number => (SYSTEM_FIELDS.includes(name) ? 1 : name.endsWith('__c') ? 2 : 0);
  const ordered = object.traits.isEvent === true ? captured : captured.toSorted((a, b) => rank(a) - rank(b));
  const compounds = new Map<string, { name: string; field: FieldDefinition }[]>();
  const fields: EventField[] = [];
  for (const field of ordered) {
    if (field.part === undefined) {
      fields.push({ name: field.name, field });
      continue;
    }
    const parts = compounds.get(field.part.of) ?? [];
    if (parts.length === 0) fields.push({ name: field.part.of, parts });
    parts.push({ name: field.part.as, field });
    compounds.set(field.part.of, parts);
  }
  return fields;
}

function placesOf(fields: readonly EventField[], first: number): Map<string, FieldPlace> {
  const places = new Map<string, FieldPlace>();
  fields.forEach((entry, i) => {
    const at = first + i;
    if (entry.parts === undefined) places.set(entry.name, { at, path: entry.name });
    else
      entry.parts.forEach(({ name, field }, part) =>
        places.set(field.name, { at, part, path: `${entry.name}.${name}` }),
      );
  });
  return places;
}

function avroSchema(name: string, isChange: boolean, fields: readonly EventField[]): Record<string, unknown> {
  const known = new Set<string>();
  const body = fields.map((entry) => {
    if (entry.parts !== undefined) return optional(entry.name, addressType(known, entry.parts));
    const type = AVRO_TYPES[entry.field.type] ?? 'string';
    // The publisher and the date of a platform event are never empty, so their types have no null.
    return !isChange && SYSTEM_FIELDS.includes(entry.name) ? { name: entry.name, type } : optional(entry.name, type);
  });
  return { type: 'record', name, namespace: NAMESPACE, fields: isChange ? [headerField(), ...body] : body };
}

/**
 * The address type: described at its first use and named by its full name afterwards, as a schema describes a record
 * type once.
 */
function addressType(known: Set<string>, parts: readonly { name: string; field: FieldDefinition }[]): unknown {
  if (known.has('Address')) return `${NAMESPACE}.Address`;
  known.add('Address');
  const fields = parts.map((part) => optional(part.name, AVRO_TYPES[part.field.type] ?? 'string'));
  return { type: 'record', name: 'Address', namespace: NAMESPACE, fields };
}

function optional(name: string, type: unknown): Record<string, unknown> {
  return { name, type: ['null', type], default: null };
}

function headerField(): Record<string, unknown> {
  const texts = { type: 'array', items: 'string' };
  const fields = [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: texts },
    { name: 'changeType', type: { type: 'enum', name: 'ChangeType', namespace: NAMESPACE, symbols: CHANGE_TYPES } },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: texts },
    { name: 'diffFields', type: texts },
    { name: 'changedFields', type: texts },
  ];
  return {
    name: 'ChangeEventHeader',
    type: { type: 'record', name: 'ChangeEventHeader', namespace: NAMESPACE, fields },
  };
}
