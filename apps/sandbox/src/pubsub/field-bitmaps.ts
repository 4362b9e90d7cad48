import type { EventSchema } from '../events/event-schema.js';

/**
 * The bitmaps by which an Avro event names fields (Pub/Sub API guide, "Event Deserialization Considerations"): first one
 * over the fields of the schema, its least bit the header, then one for each compound field of which a part is named,
 * as `<position>-<bitmap>`. Empty if no field of the schema is named.
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

/** Upper case, an even number of digits: `0x400800`, `0x01`. */
function hex(mask: bigint): string {
  const digits = mask.toString(16).toUpperCase();
  return `0x${digits.padStart(digits.length + (digits.length % 2), '0')}`;
}
