import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import type { AuditDetail, AuditEvent } from '@bff/infra/logging/audit';
import { kindOfProblem, ProblemError, type Problem } from './problem.js';

/**
 * What tells of a request that was answered with a problem. `request`: its line, because the request is wrong in itself
 * or what it asks for is not there. `failure`: a line "answered …", because something does not work. `order`: the audit,
 * where the order is placed. Each other one: this event of the audit.
 */
type Told = AuditEvent | 'request' | 'failure' | 'order';

/**
 * By the code of the problem or, without one, by its kind. What is missing here is a failure of a source, with a line
 * "answered …", or a request that is wrong by its status alone, which has its line. A test finds every other omission.
 */
export const TOLD_BY: Readonly<Record<string, Told>> = {
  unauthorized: 'access.denied',
  'account-not-linked': 'account.not-linked',
  'operator-only': 'operator.denied',
  'webhook-not-signed': 'webhook.refused',
  'webhook-repeated': 'webhook.refused',
  RATE_LIMITED: 'rate.limited',
  'too-many-streams': 'limit.reached',
  'event-streams-full': 'limit.reached',
  SALESFORCE_OVERLOADED: 'limit.reached',
  SALESFORCE_QUOTA_RESERVED: 'limit.reached',
  SALESFORCE_LIMIT_EXCEEDED: 'limit.reached',
  WHMCS_OVERLOADED: 'limit.reached',
  CACHE_OVERLOADED: 'limit.reached',

  IDEMPOTENCY_KEY_IN_USE: 'order',
  IDEMPOTENCY_KEY_REUSED: 'order',
  ORDER_NOT_ELIGIBLE: 'order',
  ORDER_OUTCOME_UNKNOWN: 'order',
  ORDER_PRODUCT_NOT_SOLD: 'order',
  ORDER_REFUSED: 'order',
  ORDER_TOO_LARGE: 'order',

  'account-not-found': 'request',
  BILLING_NOT_LINKED: 'request',
  'cache-not-found': 'request',
  'category-not-found': 'request',
  'invalid-idempotency-key': 'request',
  'invalid-request': 'request',
  'invoice-not-found': 'request',
  'order-not-found': 'request',
  'subscription-not-found': 'request',

  CACHE_CLOSED: 'failure',
  CACHE_FETCH_TIMEOUT: 'failure',
  CACHE_NOT_ACKNOWLEDGED: 'failure',
  CACHE_STORE_UNAVAILABLE: 'failure',
  CACHE_WAIT_TIMEOUT: 'failure',
  IDEMPOTENCY_UNAVAILABLE: 'failure',
  'internal-error': 'failure',
  'keys-unavailable': 'failure',
  'no-event-stream': 'failure',
  NONCES_UNAVAILABLE: 'failure',
  'process-ending': 'failure',
  SALESFORCE_ABORTED: 'failure',
  SALESFORCE_CLOSED: 'failure',
  SALESFORCE_CONFLICT: 'failure',
  SALESFORCE_TIMEOUT: 'failure',
  SALESFORCE_UNAVAILABLE: 'failure',
  WHMCS_CLOSED: 'failure',
  WHMCS_TIMEOUT: 'failure',
  WHMCS_UNAVAILABLE: 'failure',
};

/** A refusal or a limit as the audit records it. */
export interface Refusal {
  readonly event: AuditEvent;
  readonly detail: AuditDetail;
}

/** What the audit records of this error and its answer; undefined if another line tells of it. */
export function refusalOf(error: unknown, found: Problem): Refusal | undefined {
  const name = found.code ?? kindOfProblem(found);
  const event = TOLD_BY[name];
  if (event === undefined || event === 'request' || event === 'failure' || event === 'order') return undefined;
  const { status } = found;
  if (error instanceof RateLimitedError) return { event, detail: { policy: error.policy, status } };
  if (event === 'limit.reached')
    return { event, detail: { limit: name, status, why: error instanceof Error ? error.message : undefined } };
  return { event, detail: { reason: error instanceof ProblemError ? error.reason : undefined, status } };
}
