/** How long a poll goes on, and what it says when that was in vain. */
export interface Patience {
  /** @default 5000 */
  readonly withinMs?: number;
  /** What was awaited, to complete the error "waited … ms in vain for: …". @default 'the condition' */
  readonly what?: string;
  /** What the error shows besides, as JSON. */
  readonly state?: () => unknown;
}

/**
 * Calls `look` until it returns a value that is neither undefined nor false, with pauses of 5 ms, and resolves with
 * that value. Rejects when `withinMs` has passed, or when `look` fails.
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
 * Lets the given time pass. Use it where a time is part of a scenario (a TTL, the length of a build), or between two
 * looks; to wait for a result, use `eventually`.
 */
export function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
