/** How long a poll goes on, and what it says when that was in vain. */
export interface Patience {
  /** @default 5000 */
  readonly withinMs?: number;
  /** What was awaited, as the subject or the clause of the error. @default 'the condition' */
  readonly what?: string;
  /** What the error shows beside it. */
  readonly state?: () => unknown;
}

/**
 * The first value that is neither undefined nor false, looked for every few milliseconds; rejects when the deadline has
 * passed. Tests and checks poll with it; a loop that measures a time by itself is another thing.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { withinMs = 5000, what = 'the condition', state }: Patience = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) {
      const shown = state ? `; ${JSON.stringify(state())}` : '';
      throw new Error(`waited ${withinMs} ms in vain for: ${what}${shown}`);
    }
    await elapse(5);
  }
}

/**
 * Lets the given time pass. For the part of a scenario that is a time (a TTL, a build's length), never to wait for a
 * result.
 */
export function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
