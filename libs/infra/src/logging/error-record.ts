import { SEEN_LENGTH_MAX, type Masking } from './masking.js';

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
 * an aggregate, each masked and then cut at a bound, so that no part of a secret is left at the cut. Other fields are
 * left out, because libraries keep requests, commands and answers there. Never throws.
 */
export function errorRecord(error: unknown, masking: Masking): ErrorRecord {
  const record = (each: unknown) => recordOf(each, masking);
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

/**
 * The messages of an error and its causes in one line, for a failure that needs no stack. They are not masked: the line
 * of the log is, which shows less than what is cut off here.
 */
export function messageWithCauses(error: unknown): string {
  const messages = [error, ...causesOf(error)].map((each) => (each instanceof Error ? each.message : each));
  return messages.map(String).join(': ').slice(0, SEEN_LENGTH_MAX);
}

/** The whole stacks of an error and its causes. They are neither masked nor cut: `Masking.text` does both. */
export function stackWithCauses(error: unknown): string {
  const stacks = [error, ...causesOf(error)].map((each) =>
    each instanceof Error ? (each.stack ?? each.message) : each,
  );
  return stacks.map(String).join('\ncaused by: ');
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

function recordOf(error: unknown, masking: Masking): ErrorRecord {
  if (!(error instanceof Error))
    return { type: typeof error, message: masking.text(String(error), MESSAGE_LENGTH_MAX) };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return {
    type: error.constructor.name || name,
    message: masking.text(String(message), MESSAGE_LENGTH_MAX),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof stack === 'string' && { stack: masking.text(stack, STACK_LENGTH_MAX) }),
  };
}
