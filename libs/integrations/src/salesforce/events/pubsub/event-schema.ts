import type { types } from 'avsc';
import { compoundTypeOf, recordTypeOf } from './avro-types.js';

/** The field of every change event that holds its `ChangeEventHeader`. */
export const HEADER_FIELD = 'ChangeEventHeader';

const BITMAP = /^((?:\d{1,4}-)*)0x([0-9A-Fa-f]*)$/;

/**
 * The schema of one kind of event at one time; it reads the data that was written with it. A change of the fields makes
 * a new schema with another id.
 */
export class EventSchema {
  private readonly type: types.RecordType;
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
   * for the first, which is the header; `4-0x…` has a bit for each part of the field at position 4. Throws for a bit
   * without a field.
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
