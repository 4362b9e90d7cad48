import { z } from 'zod';
import type { ProducerEvent } from '../pubsub-service.js';
import { CHANGE_HEADER, type ChangeHeader, filled, readHeader, type SourceEvent } from '../source-event.js';
import { type EventSchema, HEADER_FIELD, plain } from './event-schema.js';

/** The field names in the bitmaps of an UPDATE. */
interface ToldFields {
  readonly changed: readonly string[];
  readonly nulled: readonly string[];
  readonly diffs: readonly string[];
}

/** An event and its place in the stream. The replay id is base64 text, because its bytes are opaque. */
export interface PlacedEvent {
  readonly topic: string;
  readonly replayId: string;
  readonly event: ProducerEvent | null;
}

/**
 * The `SourceEvent` of one event of the Pub/Sub API; if its schema is unavailable, `schema` is the reason in words.
 * Never throws: an unreadable event becomes an `undecodable` one, because the reader of a stream must neither stop at
 * it nor skip it.
 */
export function eventOfPubSub({ topic, replayId, event }: PlacedEvent, schema: EventSchema | string): SourceEvent {
  const undecodable = (reason: string): SourceEvent => ({ kind: 'undecodable', topic, replayId, reason });
  if (event === null) return undecodable('the message holds no event');
  if (typeof schema === 'string') return undecodable(schema);
  try {
    const record = schema.read(event.payload);
    if (topic.startsWith('/event/')) {
      return { kind: 'platform', topic, replayId, fields: filled(plain(record) as Record<string, unknown>) };
    }
    const header = CHANGE_HEADER.safeParse(record[HEADER_FIELD]);
    if (!header.success) return undecodable(z.prettifyError(header.error));
    const told = header.data.changeType === 'UPDATE' ? toldFields(header.data, schema) : NOTHING;
    const changed = told && [...told.changed, ...told.nulled, ...told.diffs];
    const fields = carriedFields(record, schema, told);
    return { kind: 'change', topic, replayId, ...readHeader(header.data, changed), fields };
  } catch (error) {
    return undecodable(error instanceof Error ? error.message : String(error));
  }
}

const NOTHING: ToldFields = { changed: [], nulled: [], diffs: [] };

function toldFields(
  { changedFields, nulledFields, diffFields }: ChangeHeader,
  schema: EventSchema,
): ToldFields | undefined {
  try {
    const [changed, nulled, diffs] = [changedFields, nulledFields, diffFields].map((bitmaps) =>
      schema.namesIn(bitmaps ?? []),
    ) as [string[], string[], string[]];
    return changed.length + nulled.length + diffs.length === 0 ? undefined : { changed, nulled, diffs };
  } catch {
    return undefined;
  }
}

/**
 * The fields that CometD would carry. Avro has a place for every field, so null means both unchanged and emptied, and
 * only the bitmaps tell them apart. A field sent as a difference is omitted: the difference is not its value. Without
 * readable bitmaps (`told` is undefined) nothing is known about the fields of an update, so none is returned.
 */
function carriedFields(
  record: Readonly<Record<string, unknown>>,
  schema: EventSchema,
  told: ToldFields | undefined,
): Record<string, unknown> {
  if (told === undefined) return {};
  const named = new Set([...told.changed, ...told.nulled]);
  const diffs = new Set(told.diffs);
  const namedParts = [...named].filter((name) => name.includes('.') && !diffs.has(name));
  const fields: Record<string, unknown> = {};
  for (const name of schema.fieldNames) {
    if (name === HEADER_FIELD || diffs.has(name)) continue;
    const value = plain(record[name] ?? null);
    const parts = namedParts.filter((part) => part.startsWith(`${name}.`));
    if (isCompound(value) || parts.length > 0) {
      const compound: Record<string, unknown> = {};
      for (const part of parts) compound[part.slice(name.length + 1)] = null;
      for (const [part, content] of Object.entries(isCompound(value) ? value : {})) {
        if (content !== null && !diffs.has(`${name}.${part}`)) compound[part] = content;
      }
      if (Object.keys(compound).length > 0) fields[name] = compound;
    } else if (value !== null || named.has(name)) {
      fields[name] = value;
    }
  }
  return fields;
}

function isCompound(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
