import type { EventLog } from '../events/event-log.js';

/** Where a subscription starts: after this replay id, or why it cannot. */
export type ReplayStart = { readonly after: number } | { readonly error: string };

/**
 * The place that `ext.replay[channel]` asks for: -1 (or nothing) for new events only, -2 for all that are kept, or a
 * replay id for what came after it. The id must be one that was given and whose event is still kept.
 */
export function replayStart(log: EventLog, asked: unknown): ReplayStart {
  const replayId = typeof asked === 'string' && /^-?\d+$/.test(asked) ? Number(asked) : (asked ?? -1);
  if (replayId === -1) return { after: log.tip };
  if (replayId === -2) return { after: -1 };
  if (typeof replayId === 'number' && Number.isSafeInteger(replayId) && log.has(replayId)) return { after: replayId };
  const reason = `The replayId {${String(asked)}} you provided was invalid. Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`;
  return { error: `400::${reason}` };
}
