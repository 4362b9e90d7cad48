import avro from 'avsc';

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

/** Bounds the item count by the message: avsc trusts the written one, and four wrong bytes make it read for minutes. */
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
 * The record type of an Avro schema given as JSON text. The size of the message bounds what it reads; unions are plain
 * values where unambiguous; logical types are ignored. Throws for an invalid schema, or one that is not of a record.
 */
export function recordTypeOf(schemaJson: string): avro.types.RecordType {
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
export function compoundTypeOf(type: avro.Type): avro.types.RecordType | undefined {
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
