/** Waits until the condition holds; fails after the deadline with the awaited condition and the current state. */
export async function until(
  what: string,
  condition: () => boolean,
  state: () => unknown = () => '',
  ms = 8_000,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not: ${what}; ${JSON.stringify(state())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
