import type { EventLog } from '../events/event-log.js';

/** The position after which a subscription starts, or why it cannot start. */
export type ReplayStart = { readonly after: number } | { readonly error: string };

/**
 * The position that `ext.replay[channel]` asks for: -1 (or nothing) for new events only, -2 for all kept events, or a
 * replay id for the events after it. That id must have been given out, and its place must still be kept.
 */
export function replayStart(log: EventLog, asked: unknown): ReplayStart {
  const replayId = typeof asked === 'string' && /^-?\d+$/.test(asked) ? Number(asked) : (asked ?? -1);
  if (replayId === -1) return { after: log.tip };
  if (replayId === -2) return { after: -1 };
  if (typeof replayId === 'number' && Number.isSafeInteger(replayId) && log.has(replayId)) return { after: replayId };
  const reason = `The replayId {${String(asked)}} you provided was invalid. Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`;
  return { error: `400::${reason}` };
}
