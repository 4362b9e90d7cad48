/** Maximum causes of one error, and errors of one aggregate, that a line shows. */
const CAUSES_MAX = 5;
const MESSAGE_LENGTH_MAX = 2_048;
const STACK_LENGTH_MAX = 4_096;

/** An error as a log line shows it. */
export interface ErrorRecord {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  /** What led to it, the nearest first. */
  readonly causes?: readonly ErrorRecord[];
  readonly errors?: readonly ErrorRecord[];
}

/**
 * What a log line shows of an error: its type, message, code and stack, and the same of its causes and of the errors of
 * an aggregate, each up to a bound. Other fields are left out, because libraries keep requests, commands and answers
 * there. Never throws.
 */
export function errorRecord(error: unknown): ErrorRecord {
  try {
    const causes = causesOf(error).map(record);
    const { errors } = (error ?? {}) as { errors?: unknown };
    return {
      ...record(error),
      ...(causes.length > 0 && { causes }),
      ...(Array.isArray(errors) && { errors: errors.slice(0, CAUSES_MAX).map(record) }),
    };
  } catch {
    return { type: 'Error', message: 'an error that cannot be read' };
  }
}

/** The messages of an error and its causes in one line, for a failure that needs no stack. */
export function messageWithCauses(error: unknown): string {
  return [error, ...causesOf(error)].map((each) => record(each).message).join(': ');
}

/** The stacks of an error and its causes, for a person, each up to a bound. */
export function stackWithCauses(error: unknown): string {
  const records = [error, ...causesOf(error)].map(record);
  return records.map(({ stack, message }) => stack ?? message).join('\ncaused by: ');
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  let next = (error as { cause?: unknown } | undefined)?.cause;
  while (next !== undefined && next !== null && causes.length < CAUSES_MAX) {
    causes.push(next);
    next = (next as { cause?: unknown }).cause;
  }
  return causes;
}

function record(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) return { type: typeof error, message: bounded(String(error), MESSAGE_LENGTH_MAX) };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return {
    type: error.constructor.name || name,
    message: bounded(String(message), MESSAGE_LENGTH_MAX),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof stack === 'string' && { stack: bounded(stack, STACK_LENGTH_MAX) }),
  };
}

function bounded(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}
