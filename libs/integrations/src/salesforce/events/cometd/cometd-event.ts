import { z } from 'zod';
import { CHANGE_HEADER, filled, readHeader, type SourceEvent } from '../source-event.js';

const REPLAY = z.object({ event: z.object({ replayId: z.union([z.number(), z.string().min(1)]) }) });
const PLATFORM = z.object({ payload: z.record(z.string(), z.unknown()) });
const CHANGE = z.object({ payload: z.looseObject({ ChangeEventHeader: CHANGE_HEADER }) });

/**
 * The `SourceEvent` of one CometD message. Never throws: an unreadable message becomes an `undecodable` event, because
 * the reader of a stream must neither stop at it nor skip it.
 */
export function eventOfCometd(topic: string, data: unknown): SourceEvent {
  const replay = REPLAY.safeParse(data);
  const replayId = replay.success ? String(replay.data.event.replayId) : undefined;
  const undecodable = (reason: string): SourceEvent => ({ kind: 'undecodable', topic, replayId, reason });
  if (replayId === undefined) return undecodable('the message has no replay id');

  if (topic.startsWith('/event/')) {
    const platform = PLATFORM.safeParse(data);
    if (!platform.success) return undecodable(z.prettifyError(platform.error));
    return { kind: 'platform', topic, replayId, fields: filled(platform.data.payload) };
  }

  const change = CHANGE.safeParse(data);
  if (!change.success) return undecodable(z.prettifyError(change.error));
  const { ChangeEventHeader: header, ...fields } = change.data.payload;
  try {
    return { kind: 'change', topic, replayId, ...readHeader(header, header.changedFields), fields: values(fields) };
  } catch (error) {
    return undecodable(error instanceof Error ? error.message : String(error));
  }
}

/** Drops differences, which are not values (Change Data Capture Guide, "Data Differences in Event Fields"). */
function values(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isDiff = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'diff' in value && Object.keys(value).length === 1;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isDiff(value)));
}
