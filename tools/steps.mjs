import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

/** How often a step that still runs says so: on a terminal in place, in a log as a line. */
const TERMINAL_MS = 1_000;
const LOG_MS = 10_000;

/**
 * Does `work` and says what it is, for how long it has run, and how long it took: on a terminal in one line that is
 * kept current, elsewhere in a line at its begin, every ten seconds and at its end. Resolves and rejects as `work` does.
 */
export async function step(text, work, out = process.stdout) {
  const startedAt = performance.now();
  // A timer may fire a millisecond early.
  const seconds = () => Math.round((performance.now() - startedAt) / 1_000);
  // Back to the line's begin, and the rest of the line emptied.
  const show = (line) => out.write(out.isTTY ? `\r${line}\u001b[K` : `${line}\n`);
  show(`${text} …`);
  const timer = setInterval(() => show(`${text} … ${seconds()} s`), out.isTTY ? TERMINAL_MS : LOG_MS);
  let outcome = 'failed after';
  try {
    const result = await work();
    outcome = 'done in';
    return result;
  } finally {
    clearInterval(timer);
    show(`${text}: ${outcome} ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    if (out.isTTY) out.write('\n');
  }
}
