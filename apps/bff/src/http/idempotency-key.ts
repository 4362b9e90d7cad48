import { ParseError, parseItem } from 'structured-headers';
import { problem, ProblemError } from '../problems/problem.js';

/** A key of more than this says nothing that a UUID does not. */
const LENGTH_MAX = 255;

/**
 * The key of an `Idempotency-Key` header, a structured-field String (draft-ietf-httpapi-idempotency-key-header, "The
 * Idempotency-Key HTTP Request Header Field"); undefined without the header. Parameters are ignored. Throws a 400 for
 * everything else: a key that is not understood must not become an order without a key.
 */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? stringOf(header) : undefined;
  if (key !== undefined && key.length >= 1 && key.length <= LENGTH_MAX) return key;
  const detail =
    `Idempotency-Key: must be one string of 1 to ${LENGTH_MAX} characters in double quotes, ` +
    'such as "8e03978e-40d5-43e8-bc93-6894a57f9324"; use a new UUID for each order';
  throw new ProblemError(problem(400, 'invalid-idempotency-key', 'The Idempotency-Key is not valid', detail));
}

/** The value, if the header is a single String in the sense of RFC 9651; a bare word is a Token, not a String. */
function stringOf(header: string): string | undefined {
  try {
    const value: unknown = parseItem(header)[0];
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
