import { pause } from './back-off.js';
import type { GapReason, StartPosition } from './change-event-source.js';

/** Who has not told where to begin after so long is asked again, so that a topic never waits for ever without a word. */
const ANSWER_MS = 30_000;

/** Where to begin, and which gap that leaves; or in words why it is not known. */
export type AskedPosition =
  { readonly start: StartPosition; readonly gap: GapReason | undefined } | { readonly trouble: string };

/** The committed position has expired: from now on, and what came before is not known. */
export const AFTER_EXPIRY: AskedPosition = { start: 'latest', gap: 'position-expired' };

/**
 * Asks where a topic begins. Resolves within the bound, or as soon as the signal is aborted, whatever the one who is asked
 * does; never rejects.
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
