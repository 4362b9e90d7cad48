import {
  isSalesforceId,
  toSalesforceId,
  type SalesforceId,
  InvalidSalesforceIdError,
} from '@bff/integrations/salesforce/salesforce-id';
import { z } from 'zod';
import { problem, ProblemError } from '../problems/problem.js';

/** A Salesforce id of 15 or 18 characters, widened to 18. */
export const salesforceId = z
  .string()
  .max(64, 'an id has 15 or 18 characters')
  .transform((given, context): SalesforceId => {
    if (isSalesforceId(given)) return toSalesforceId(given);
    context.addIssue({ code: 'custom', message: reason(given) });
    return z.NEVER;
  });

/** A positive whole number in a URL. */
export const positiveId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'expected a positive whole number such as 1042')
  .transform(Number);

/** Returns the checked value, or throws a 400 that explains the faults. `where` names the part of the request. */
export function valid<T>(schema: z.ZodType<T>, given: unknown, where: string): T {
  const result = schema.safeParse(given, { error: inPlainWords });
  if (result.success) return result.data;
  const errors = result.error.issues
    .slice(0, ERRORS_MAX)
    .map((issue) => ({ path: [where, ...issue.path.map(String)].join('.'), message: issue.message }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ProblemError(problem(400, 'invalid-request', 'The request is not valid', detail, { errors }));
}

/** Maximum number of faults that one answer explains: a body can hold thousands, and more would not help. */
const ERRORS_MAX = 10;

/** The fault, for readers who do not know the checking library; undefined keeps the library's own message. */
function inPlainWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `must ${measure(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must ${measure(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
    case 'unrecognized_keys':
      return `has fields that are not known here: ${issue.keys.join(', ').slice(0, 200)}`;
    default:
      return undefined;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};

function measure(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be';
}

function unit(origin: string): string {
  if (origin === 'array') return ' entries';
  return origin === 'string' ? ' characters' : '';
}

function reason(given: string): string {
  try {
    toSalesforceId(given);
    return 'not a Salesforce id';
  } catch (error) {
    if (error instanceof InvalidSalesforceIdError) return error.message;
    throw error;
  }
}
