/** The bounds between which the waits of a series of attempts grow. */
export interface BackOffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The wait in ms after a failure; `attempt` is its number in a series of failures, from 0. The wait lies between half
 * and all of `minMs` doubled `attempt` times, capped at `maxMs`. The random half keeps processes that failed together
 * from retrying together.
 */
export function backOffMs(
  attempt: number,
  { minMs, maxMs }: BackOffBounds,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** Resolves after `ms`, or as soon as the signal is aborted. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
