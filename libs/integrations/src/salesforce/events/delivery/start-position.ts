import { pause } from '../back-off.js';
import type { GapReason, StartPosition } from '../change-event-source.js';

/** How long one `position` call may take; the source then asks again, so that no topic waits silently without end. */
const ANSWER_MS = 30_000;

/** The start and the gap that it leaves, or in words why the start is unknown. */
export type AskedPosition =
  { readonly start: StartPosition; readonly gap: GapReason | undefined } | { readonly trouble: string };

/**
 * The start when Salesforce no longer stores the events after the committed position: with events from now on, so that
 * earlier changes are unknown.
 */
export const AFTER_EXPIRY: AskedPosition = { start: 'latest', gap: 'position-expired' };

/**
 * Asks the caller where a topic begins. Resolves within `ms` or as soon as the signal is aborted, even if `position`
 * never settles; never rejects.
 */
export async function askForPosition(
  position: (topic: string) => Promise<StartPosition>,
  topic: string,
  signal: AbortSignal,
  ms = ANSWER_MS,
): Promise<AskedPosition> {
  const trouble = (detail: string): AskedPosition => ({ trouble: `its position could not be read: ${detail}` });
  const ask = async (): Promise<AskedPosition> => {
    try {
      const start = await position(topic);
      return { start, gap: start === 'latest' ? 'no-position' : undefined };
    } catch (error) {
      return trouble(error instanceof Error ? error.message : String(error));
    }
  };
  const answered = new AbortController();
  const bound = pause(ms, AbortSignal.any([signal, answered.signal]));
  try {
    return await Promise.race([ask(), bound.then(() => trouble(`no answer within ${ms} ms`))]);
  } finally {
    answered.abort();
  }
}
