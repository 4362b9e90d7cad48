import { setTimeout as delay } from 'node:timers/promises';

/** How a call ended within a limit, and after how many milliseconds. */
export type Ending =
  | { readonly kind: 'resolved'; readonly value: unknown; readonly ms: number }
  | { readonly kind: 'rejected'; readonly error: unknown; readonly ms: number }
  | { readonly kind: 'open'; readonly ms: number };

/** Resolves when the call ends or the limit is over; never rejects. The call goes on. */
export async function endingOf(call: Promise<unknown>, limitMs: number): Promise<Ending> {
  const begin = performance.now();
  const since = () => performance.now() - begin;
  const given = new AbortController();
  const limit = delay(limitMs, undefined, { signal: given.signal }).then(
    (): Ending => ({ kind: 'open', ms: limitMs }),
    (): Ending => ({ kind: 'open', ms: since() }),
  );
  const end = call.then(
    (value): Ending => ({ kind: 'resolved', value, ms: since() }),
    (error: unknown): Ending => ({ kind: 'rejected', error, ms: since() }),
  );
  const ending = await Promise.race([end, limit]);
  given.abort();
  return ending;
}

/** The ending in a few words. Times are rounded so far that two runs usually print the same. */
export function inWords(ending: Ending): string {
  if (ending.kind === 'open') return `nothing for ${Math.round(ending.ms / 1000)} s`;
  const what = ending.kind === 'resolved' ? `\`${String(ending.value)}\`` : 'rejected';
  return `${what} ${afterAbout(ending.ms)}`;
}

function afterAbout(ms: number): string {
  if (ms < 100) return 'at once';
  return ms <= 900 ? `after ${(Math.ceil(ms / 100) / 10).toFixed(1)} s` : `after ${Math.round(ms / 1000)} s`;
}
