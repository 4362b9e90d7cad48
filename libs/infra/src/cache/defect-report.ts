import { inspect, type InspectOptions } from 'node:util';

/** Whatever else was thrown is shown in a few lines: what is deep, long or large is cut. */
const FEW_LINES: InspectOptions = { depth: 2, maxArrayLength: 20, maxStringLength: 500, breakLength: 120 };
/** Only fields are not bounded by those options. */
const TEXT_MAX = 2000;

/**
 * Says what went wrong where no caller waits who could be told: a defect of ours, or of a listener. Node prints it, or hands
 * it to whoever listens to the process' warnings. It never throws. Of an error it tells the stack and no field, for a field
 * may hold what must not reach a log.
 */
export function reportDefect(error: unknown): void {
  process.emitWarning(textOf(error), { type: 'CacheDefectWarning' });
}

function textOf(error: unknown): string {
  try {
    return stackOf(error) ?? inspect(error, FEW_LINES).slice(0, TEXT_MAX);
  } catch {
    return 'unknown: what was thrown cannot be shown'; // a getter, a proxy, or its own `inspect`, throws
  }
}

/** Of an error, also of another realm, which is no instance of our `Error`. */
function stackOf(error: unknown): string | undefined {
  const { stack, message } = (error ?? {}) as { readonly stack?: unknown; readonly message?: unknown };
  if (typeof stack === 'string') return stack;
  return error instanceof Error ? String(message) : undefined;
}
