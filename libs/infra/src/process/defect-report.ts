import { inspect, type InspectOptions } from 'node:util';

/** Shows a thrown value other than an error in a few lines: deep, long or large parts are cut. */
const FEW_LINES: InspectOptions = { depth: 2, maxArrayLength: 20, maxStringLength: 500, breakLength: 120 };
/** Maximum number of characters shown of such a value: `FEW_LINES` does not bound the number of fields. */
const TEXT_MAX = 2000;

/**
 * Reports an error that no caller waits for: a defect of this code, or of a listener. Node prints it, or passes it to
 * listeners of the process' warnings. It never throws. It reports the stack of an error, or its message if it has no
 * stack, and none of its other fields, because a field may hold what must not reach a log.
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

/**
 * The stack of an error, or its message if it has no stack; undefined for other values. An error from another realm is
 * no instance of our `Error` and is recognised by its stack.
 */
function stackOf(error: unknown): string | undefined {
  const { stack, message } = (error ?? {}) as { readonly stack?: unknown; readonly message?: unknown };
  if (typeof stack === 'string') return stack;
  return error instanceof Error ? String(message) : undefined;
}
