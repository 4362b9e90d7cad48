/** Bounds how long after Redis a connection is back (plus one connect); a dead Redis sees few attempts. */
const RETRY_DELAY_MAX_MS = 500;
const RETRY_DELAY_FIRST_MS = 25;

/** Exponential from 25 ms to at most 500 ms, each randomly between half and all of it, so that processes spread. */
export function retryDelayMs(attempt: number): number {
  const full = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.ceil(full * (0.5 + Math.random() / 2));
}
