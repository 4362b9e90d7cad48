import avro from 'avsc';
import type { SchemaInfo } from '../pubsub-service.js';
import { isRefusedByService } from './stream-faults.js';

/**
 * Maximum number of schemas kept; the oldest one goes first. An org has one per object, and a new one at each change of
 * its fields.
 */
const SCHEMAS_MAX = 500;

/**
 * How long Salesforce is not asked again for a schema that it refused: a burst of events with that schema would become
 * a burst of requests.
 */
const REFUSAL_MS = 30_000;

interface Known {
  /** The schema, or the reason in words if it is refused or its text is unusable. */
  readonly schema: EventSchema | string;
  readonly until: number;
}

/** The schemas of an org's events by id; an id never means another schema. Concurrent callers share one request. */
export class SchemaCache {
  private readonly schemas = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<EventSchema | string>>();

  /** The cached schema, or in words why it is unusable; undefined if Salesforce has to be asked. */
  known(id: string): EventSchema | string | undefined {
    const known = this.schemas.get(id);
    return known !== undefined && known.until > Date.now() ? known.schema : undefined;
  }

  /** The schema, or in words why it is unusable. Rejects if the request to Salesforce failed, which is temporary. */
  async get(id: string, ask: (id: string) => Promise<SchemaInfo>): Promise<EventSchema | string> {
    const known = this.known(id) ?? this.asking.get(id);
    if (known !== undefined) return known;
    const asking = this.load(id, ask).finally(() => this.asking.delete(id));
    this.asking.set(id, asking);
    return asking;
  }

  private async load(id: string, ask: (id: string) => Promise<SchemaInfo>): Promise<EventSchema | string> {
    let info: SchemaInfo;
    try {
      info = await ask(id);
    } catch (error) {
      if (!isRefusedByService(error)) throw error;
      const reason = `schema ${id} is refused: ${error instanceof Error ? error.message : String(error)}`;
      return this.keep(id, { schema: reason, until: Date.now() + REFUSAL_MS });
    }
    return this.keep(id, { schema: parsed(id, info.schemaJson), until: Infinity });
  }

  private keep(id: string, known: Known): EventSchema | string {
    const [oldest] = this.schemas.keys();
    if (this.schemas.size >= SCHEMAS_MAX && oldest !== undefined) this.schemas.delete(oldest);
    this.schemas.set(id, known);
    return known.schema;
  }
}

function parsed(id: string, schemaJson: string): EventSchema | string {
  try {
    return new EventSchema(schemaJson);
  } catch (error) {
    return `schema ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The field of every change event that holds its `ChangeEventHeader`. */
export const HEADER_FIELD = 'ChangeEventHeader';

const BITMAP = /^((?:\d{1,4}-)*)0x([0-9A-Fa-f]*)$/;

/**
 * The schema of one kind of event at one time; it reads the data that was written with it. A change of the fields makes
 * a new schema with another id.
 */
export class EventSchema {
  private readonly type: avro.types.RecordType;
  /** Names of the fields in the schema's order; a bit of a bitmap is a position in this list. */
  readonly fieldNames: readonly string[];

  /** Throws for text that is not an Avro schema of a record. */
  constructor(schemaJson: string) {
    this.type = recordTypeOf(schemaJson);
    this.fieldNames = this.type.fields.map(({ name }) => name);
  }

  /** The fields of an event, nulls included, not yet `plain`. Throws for bytes not written with this schema. */
  read(payload: Buffer): Readonly<Record<string, unknown>> {
    return this.type.fromBuffer(payload) as Record<string, unknown>;
  }

  /**
   * The fields that a list of bitmaps names, parts of compound fields as `BillingAddress.Street` (Change Data Capture
   * Guide, "Deserialize Header Fields Sent as Bitmap Fields"). `0x…` has a bit for each field of the schema, the lowest
   * for the first, which is the header; `4-0x…` has a bit for each part of the field at position 4. Throws for a text
   * that is no bitmap, and for a bit without a field.
   */
  namesIn(bitmaps: readonly string[]): string[] {
    return bitmaps.flatMap((bitmap) => {
      const match = BITMAP.exec(bitmap);
      if (match === null) throw new Error(`${JSON.stringify(bitmap.slice(0, 40))} is no bitmap of fields`);
      const positions = (match[1] as string).split('-').slice(0, -1).map(Number);
      let type = this.type;
      let prefix = '';
      for (const position of positions) {
        const field = type.fields[position];
        const compound = field && compoundTypeOf(field.type);
        if (compound === undefined) throw new Error(`the field at position ${position} has no parts`);
        prefix += `${field?.name}.`;
        type = compound;
      }
      return setBits(match[2] as string).map((bit) => {
        const field = type.fields[bit];
        if (field === undefined) throw new Error(`the schema has no field at position ${bit}`);
        return prefix + field.name;
      });
    });
  }
}

/** The positions of the set bits, lowest first, in a number of any size. */
function setBits(hex: string): number[] {
  const bits: number[] = [];
  for (let i = 0; i < hex.length; i++) {
    const digit = parseInt(hex.charAt(hex.length - 1 - i), 16);
    for (let bit = 0; bit < 4; bit++) if ((digit & (1 << bit)) !== 0) bits.push(i * 4 + bit);
  }
  return bits;
}

/** The part of avsc's reader that is used here; avsc has no types for it. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  skipLong(): void;
  readString(): string | undefined;
}

interface Readable {
  _read(tap: Tap): unknown;
}

/**
 * Reads a long as a number where that is exact, else as decimal text: commit numbers exceed 2^53, and a BigInt cannot
 * be JSON.
 */
const exactLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer): number | string => {
    const long = buffer.readBigInt64LE();
    return long >= Number.MIN_SAFE_INTEGER && long <= Number.MAX_SAFE_INTEGER ? Number(long) : String(long);
  },
  toBuffer: (value: number | string): Buffer => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer;
  },
  fromJSON: (value: number | string) => value,
  toJSON: (value: number | string) => value,
  isValid: (value: unknown) => Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value)),
  compare: (a: number | string, b: number | string) => Number(BigInt(a) - BigInt(b)),
});

/**
 * Bounds the number of items by the length of the message: avsc trusts the number in the message, and four wrong bytes
 * make it read for minutes.
 */
class BoundedArrayType extends avro.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items = this.itemsType as unknown as Readable;
    const values: unknown[] = [];
    for (let count = blockSize(tap); count > 0; count = blockSize(tap)) {
      while (count-- > 0) values.push(items._read(tap));
    }
    return values;
  }
}

class BoundedMapType extends avro.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const items = this.valuesType as Readable;
    const values: Record<string, unknown> = {};
    for (let count = blockSize(tap); count > 0; count = blockSize(tap)) {
      while (count-- > 0) values[tap.readString() ?? ''] = items._read(tap);
    }
    return values;
  }
}

/** The next count of items; throws if the remaining bytes cannot hold so many. */
function blockSize(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong(); // the block's size in bytes
  }
  if (count > tap.buf.length - tap.pos) throw new Error('a list is longer than the message');
  return count;
}

/**
 * The record type of an Avro schema given as JSON text. What it reads is bounded by the size of the message; unions are
 * plain values where unambiguous; logical types are ignored. Throws for an invalid schema, or one that is not of a
 * record.
 */
function recordTypeOf(schemaJson: string): avro.types.RecordType {
  // Defaults only matter for reading data of another schema; a bad default would make the schema unusable needlessly.
  const schemaOnly = (key: string, value: unknown): unknown => (key === 'default' ? undefined : value);
  const type = avro.Type.forSchema(JSON.parse(schemaJson, schemaOnly) as avro.Schema, {
    registry: { long: exactLong },
    omitRecordMethods: true,
    typeHook: (schema, options) => {
      const kind = typeof schema === 'object' && 'type' in schema ? (schema as { type: unknown }).type : undefined;
      if (kind === 'array') return new BoundedArrayType(schema, options);
      return kind === 'map' ? new BoundedMapType(schema, options) : undefined;
    },
  });
  if (!(type instanceof avro.types.RecordType)) throw new Error('the schema is not one of a record');
  return type;
}

/** The record type of a compound field: the type itself, or the record of a union. Undefined for other types. */
function compoundTypeOf(type: avro.Type): avro.types.RecordType | undefined {
  if (type instanceof avro.types.RecordType) return type;
  if (!(type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType)) return undefined;
  return type.types.find((branch) => branch instanceof avro.types.RecordType);
}

/** The value without what avsc adds: the wrapping of an ambiguous union, the class of a record. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ('unwrap' in value && typeof value.unwrap === 'function') return plain((value as { unwrap(): unknown }).unwrap());
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
