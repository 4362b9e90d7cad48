import avro from 'avsc';
import type { EventField, EventSchema } from '../events/event-schema.js';
import type { ChangeContent, EventContent } from '../events/org-event.js';
import type { FieldDefinition, FieldValue } from '../org/field-definition.js';
import { fieldBitmaps } from './field-bitmaps.js';

/** Reads and writes longs as BigInts, because commit numbers are larger than a number holds exactly. */
const longs = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

const types = new WeakMap<EventSchema, avro.Type>();
const encoded = new WeakMap<EventContent, Buffer>();

/**
 * The event as Avro binary of this schema, without the schema itself. Fields that the event does not carry are null.
 */
export function encodeEvent(content: EventContent, schema: EventSchema): Buffer {
  const known = encoded.get(content);
  if (known !== undefined) return known;
  const body = recordOf(content.fields, schema);
  const record = content.kind === 'change' ? { ChangeEventHeader: headerOf(content, schema), ...body } : body;
  const buffer = typeOf(schema).toBuffer(record);
  encoded.set(content, buffer);
  return buffer;
}

/**
 * The fields of a platform event that a client has encoded by this schema, without empty ones. Throws for bytes that
 * cannot be decoded.
 */
export function decodeEvent(payload: Buffer, schema: EventSchema): Record<string, FieldValue> {
  const record = typeOf(schema).fromBuffer(payload) as Record<string, unknown>;
  const fields: Record<string, FieldValue> = {};
  for (const entry of schema.fields) {
    const value = record[entry.name] ?? null;
    if (entry.parts === undefined && value !== null) fields[entry.name] = stored(entry.field, value);
  }
  return fields;
}

function typeOf(schema: EventSchema): avro.Type {
  const known = types.get(schema);
  if (known !== undefined) return known;
  const type = avro.Type.forSchema(JSON.parse(schema.json) as avro.Schema, { registry: { long: longs } });
  types.set(schema, type);
  return type;
}

function headerOf({ header, fields, changed, diffs }: ChangeContent, schema: EventSchema): Record<string, unknown> {
  const nulled = changed.filter((name) => fields[name] === null);
  return {
    ...header,
    commitTimestamp: BigInt(header.commitTimestamp),
    nulledFields: fieldBitmaps(schema, nulled),
    diffFields: fieldBitmaps(schema, diffs),
    changedFields: fieldBitmaps(schema, changed),
  };
}

function recordOf(fields: Readonly<Record<string, FieldValue>>, schema: EventSchema): Record<string, unknown> {
  return Object.fromEntries(schema.fields.map((entry) => [entry.name, entryValue(fields, entry)]));
}

/** A compound field is null if none of its parts has a value. */
function entryValue(fields: Readonly<Record<string, FieldValue>>, entry: EventField): unknown {
  if (entry.parts === undefined) return avroValue(entry.field, fields[entry.name] ?? null);
  if (!entry.parts.some(({ field }) => (fields[field.name] ?? null) !== null)) return null;
  return Object.fromEntries(entry.parts.map(({ name, field }) => [name, avroValue(field, fields[field.name] ?? null)]));
}

function avroValue({ type }: FieldDefinition, value: FieldValue): unknown {
  if (value === null || (type !== 'date' && type !== 'datetime')) return value;
  return BigInt(new Date(value as string).getTime());
}

function stored({ type }: FieldDefinition, value: unknown): FieldValue {
  if (typeof value !== 'bigint') return value as FieldValue;
  const text = new Date(Number(value)).toISOString();
  return type === 'date' ? text.slice(0, 10) : text;
}
