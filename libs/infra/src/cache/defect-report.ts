/**
 * Says what went wrong where no caller waits who could be told: a defect of ours, or of a listener. Node prints it, or hands
 * it to whoever listens to the process' warnings. It never throws.
 */
export function reportDefect(error: unknown): void {
  const text = error instanceof Error || hasStack(error) ? (error.stack ?? error.message) : JSON.stringify(error);
  process.emitWarning(text ?? 'unknown', { type: 'CacheDefectWarning' });
}

/** An error of another realm is no instance of our `Error`. */
function hasStack(error: unknown): error is Error {
  return typeof (error as { stack?: unknown } | null | undefined)?.stack === 'string';
}
