/** Resolves as soon as the condition holds, checking every few milliseconds; rejects when the deadline has passed. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  { withinMs = 5000, what = 'the condition' }: { withinMs?: number; what?: string } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} did not hold within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Lets the given time pass. For the part of a scenario that is a time (a TTL, a build's length), never to wait for a
 * result.
 */
export function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
