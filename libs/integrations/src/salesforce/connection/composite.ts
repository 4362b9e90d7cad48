import { z } from 'zod';
import type { CompositeCall } from '../salesforce.client.js';
import { codeOf, SalesforceError } from '../salesforce.errors.js';

/** Maximum number of calls in one composite request (REST API Developer Guide, "Composite"). */
const CALLS_MAX = 25;

const ANSWER = z.object({
  compositeResponse: z.array(z.object({ body: z.unknown(), httpStatusCode: z.number(), referenceId: z.string() })),
});

const FAILURES = z.array(z.object({ errorCode: z.string(), message: z.string() })).min(1);

/**
 * The request body that runs all calls or none. Throws `SALESFORCE_BAD_REQUEST` for too many calls, or a path without a
 * `/` at its beginning.
 */
export function compositeBody(calls: readonly CompositeCall[], apiVersion: string): object {
  if (calls.length > CALLS_MAX) {
    throw new SalesforceError(
      'SALESFORCE_BAD_REQUEST',
      `a composite request takes ${CALLS_MAX} calls, not ${calls.length}`,
    );
  }
  for (const { path } of calls) {
    if (!path.startsWith('/'))
      throw new SalesforceError('SALESFORCE_BAD_REQUEST', 'a path must begin with /, e.g. /sobjects/Order');
  }
  return {
    allOrNone: true,
    compositeRequest: calls.map(({ method, path, referenceId, body }) => ({
      method,
      url: `/services/data/v${apiVersion}${path}`,
      referenceId,
      ...(body === undefined ? {} : { body }),
    })),
  };
}

/**
 * The bodies in order, one per call. If a call failed, Salesforce rolled all back: this throws one error that names the
 * failed call, not those that Salesforce reports as `PROCESSING_HALTED` because of it. An answer that omits a call does
 * not say what was written; for it this throws `SALESFORCE_UNAVAILABLE`, as for no answer at all.
 */
export function compositeResults(answer: unknown, calls: readonly Pick<CompositeCall, 'referenceId'>[]): unknown[] {
  const parsed = ANSWER.safeParse(answer);
  if (!parsed.success) {
    throw new SalesforceError('SALESFORCE_UNAVAILABLE', 'the composite answer has an unexpected form', undefined, {
      cause: parsed.error,
    });
  }
  const results = parsed.data.compositeResponse;
  throwFailure(results);
  const isWhole = results.length === calls.length && results.every((it, i) => it.referenceId === calls[i]?.referenceId);
  if (!isWhole) {
    throw new SalesforceError('SALESFORCE_UNAVAILABLE', `the composite answer does not name all ${calls.length} calls`);
  }
  return results.map(({ body }) => body);
}

function throwFailure(results: z.infer<typeof ANSWER>['compositeResponse']): void {
  const failures = results
    .filter(({ httpStatusCode }) => httpStatusCode >= 400)
    .map(({ body, httpStatusCode, referenceId }) => {
      const reasons = FAILURES.safeParse(body);
      const reason = reasons.success ? reasons.data[0] : undefined;
      return {
        referenceId,
        errorCode: reason?.errorCode ?? `ERROR_HTTP_${httpStatusCode}`,
        message: reason?.message ?? 'no reason was given',
      };
    });
  const cause = failures.find(({ errorCode }) => errorCode !== 'PROCESSING_HALTED') ?? failures[0];
  if (cause === undefined) return;
  const text = `composite was rolled back because of call ${cause.referenceId}: ${cause.errorCode}: ${cause.message}`;
  throw new SalesforceError(codeOf(cause.errorCode), text, cause.errorCode);
}
