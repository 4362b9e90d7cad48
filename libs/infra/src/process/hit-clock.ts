/**
 * The monotonic clock of a hit, in milliseconds on the scale of `performance.now()`, and never behind it: a lease that
 * was counted from `performance.now()` ends here at the same instant or some microseconds earlier, never later.
 *
 * Both read CLOCK_MONOTONIC; `process.hrtime()` takes about 20 ns less, which is a tenth of a hit.
 */
export function hitClock(): number {
  return elapsedMs() - origin;
}

const ORIGIN_READINGS = 20;

/**
 * The zero of `performance.now()` on the scale of `elapsedMs()`. Each reading is too early by the time that passes
 * within it, so the latest is the best.
 */
const origin = Math.max(
  ...Array.from({ length: ORIGIN_READINGS }, () => {
    const before = elapsedMs();
    return before - performance.now();
  }),
);

function elapsedMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
