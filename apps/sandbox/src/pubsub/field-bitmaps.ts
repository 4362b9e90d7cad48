import type { EventSchema } from '../events/event-schema.js';

/**
 * The bitmaps by which an Avro event names fields (Pub/Sub API guide, "Event Deserialization Considerations"). The
 * first covers the fields of the schema, with the header as its lowest bit; it is left out if only parts of compound
 * fields are named. Each compound field with a named part adds `<position>-<bitmap>`. Empty if no field of the schema
 * is named.
 */
export function fieldBitmaps(schema: EventSchema, names: readonly string[]): string[] {
  let top = 0n;
  const nested = new Map<number, bigint>();
  for (const name of names) {
    const place = schema.places.get(name);
    if (place === undefined) continue;
    if (place.part === undefined) top |= 1n << BigInt(place.at);
    else nested.set(place.at, (nested.get(place.at) ?? 0n) | (1n << BigInt(place.part)));
  }
  const inner = [...nested].sort(([a], [b]) => a - b).map(([at, mask]) => `${at}-${hex(mask)}`);
  return top === 0n ? inner : [hex(top), ...inner];
}

/** The bitmap in upper case, with an even number of digits: `0x400800`, `0x01`. */
function hex(mask: bigint): string {
  const digits = mask.toString(16).toUpperCase();
  return `0x${digits.padStart(digits.length + (digits.length % 2), '0')}`;
}
