import { STATUS_CODES } from 'node:http';
import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import { HttpException } from '@nestjs/common';
import { problem, ProblemError, type Problem } from './problem.js';
import { rateLimited } from './rate-limited.js';

interface Answer {
  readonly status: number;
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

const SOURCE_AWAY: Answer = {
  status: 503,
  kind: 'source-unavailable',
  title: 'The source is not available',
  detail: 'The system that has this data does not answer. Try again later.',
  retryAfterSeconds: 5,
};
const SOURCE_SLOW: Answer = {
  status: 504,
  kind: 'source-timeout',
  title: 'The source took too long',
  detail: 'The system that has this data did not answer in time. Try again.',
};
const SOURCE_BUSY: Answer = {
  status: 503,
  kind: 'source-busy',
  title: 'The source is busy',
  detail: 'Too many requests are waiting for the system that has this data. Try again later.',
  retryAfterSeconds: 10,
};
/** The source has answered as many requests as it allows, of the day or at once. */
const SOURCE_AT_LIMIT: Answer = {
  status: 503,
  kind: 'source-at-limit',
  title: 'The source has reached its limit',
  detail: 'The system that has this data has answered as many requests as it allows for now. Try again later.',
  retryAfterSeconds: 60,
};
const SOURCE_SPARED: Answer = {
  status: 503,
  kind: 'source-spared',
  title: 'New data is limited for now',
  detail:
    'Few of the requests that the system with this data allows for a day are left. They are kept for orders, and for customers who have asked for less. Try again later.',
  retryAfterSeconds: 300,
};
/**
 * The source refused the request or gave an unusable answer. The caller cannot fix this, but we may: a query,
 * credentials or rights of ours can be wrong. The log has the details.
 */
const SOURCE_REFUSED: Answer = {
  status: 502,
  kind: 'source-refused',
  title: 'The source refused the request',
  detail: 'The system that has this data refused our request. Quote the request id when you report this.',
};
const CACHE_BUSY: Answer = {
  status: 503,
  kind: 'cache-unavailable',
  title: 'The cache is not available',
  detail: 'The cache did not confirm what was asked of it. Try again later.',
  retryAfterSeconds: 2,
};

/**
 * The answers to failures that pass by themselves, by the code of the error. Other codes of a source get
 * `SOURCE_REFUSED`.
 */
const ANSWERS: Readonly<Record<string, Answer>> = {
  SALESFORCE_LIMIT_EXCEEDED: SOURCE_AT_LIMIT,
  SALESFORCE_QUOTA_RESERVED: SOURCE_SPARED,
  SALESFORCE_OVERLOADED: SOURCE_BUSY,
  SALESFORCE_TIMEOUT: SOURCE_SLOW,
  SALESFORCE_UNAVAILABLE: SOURCE_AWAY,
  SALESFORCE_ABORTED: SOURCE_AWAY,
  SALESFORCE_CLOSED: SOURCE_AWAY,
  SALESFORCE_CONFLICT: { ...SOURCE_BUSY, retryAfterSeconds: 1 },
  WHMCS_OVERLOADED: SOURCE_BUSY,
  WHMCS_TIMEOUT: SOURCE_SLOW,
  WHMCS_UNAVAILABLE: SOURCE_AWAY,
  WHMCS_CLOSED: SOURCE_AWAY,
  CACHE_FETCH_TIMEOUT: SOURCE_SLOW,
  CACHE_WAIT_TIMEOUT: SOURCE_SLOW,
  CACHE_OVERLOADED: SOURCE_BUSY,
  CACHE_NOT_ACKNOWLEDGED: CACHE_BUSY,
  CACHE_STORE_UNAVAILABLE: CACHE_BUSY,
  CACHE_CLOSED: CACHE_BUSY,
  NONCES_UNAVAILABLE: {
    status: 503,
    kind: 'webhook-unavailable',
    title: 'The message cannot be taken now',
    detail:
      'It cannot be looked up whether this message was taken before, so nothing was done. Send the same bytes again.',
    retryAfterSeconds: 2,
  },
  IDEMPOTENCY_UNAVAILABLE: {
    status: 503,
    kind: 'idempotency-unavailable',
    title: 'The order cannot be placed now',
    detail:
      'It cannot be looked up whether this order was placed before, so this request placed nothing. Send it again with the same Idempotency-Key.',
    retryAfterSeconds: 2,
  },
};

interface Spoken {
  readonly status: number | ((error: Error) => number);
  readonly title: string;
}

/** Domain errors whose message is written for the customer. */
const SPOKEN: Readonly<Record<string, Spoken>> = {
  BILLING_NOT_LINKED: { status: 409, title: 'The account is not connected with billing' },
  IDEMPOTENCY_KEY_IN_USE: { status: 409, title: 'The request is still being carried out' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used for another request' },
  ORDER_NOT_ELIGIBLE: { status: 422, title: 'A product is not open to this account' },
  ORDER_TOO_LARGE: { status: 422, title: 'The order is too large' },
  // Never with `Retry-After`: a caller that repeats the request without a key may order twice.
  ORDER_OUTCOME_UNKNOWN: {
    status: ({ cause }) => ((cause as { code?: unknown } | undefined)?.code === 'SALESFORCE_TIMEOUT' ? 504 : 502),
    title: 'It is not known whether the order was placed',
  },
  ORDER_PRODUCT_NOT_SOLD: { status: 422, title: 'A product is not for sale' },
  ORDER_REFUSED: { status: 422, title: 'The order was refused' },
};

/** Details for client errors that Nest and Fastify name by status only. */
const CLIENT_DETAILS: Readonly<Record<number, string>> = {
  400: 'The request could not be read. If it has a body, it must be valid JSON.',
  404: 'There is nothing at this address.',
  413: 'The request body is too large.',
  415: 'Send the body as application/json.',
};

/** These details replace any other, whichever component set the status. */
const OWN_DETAILS: Readonly<Record<number, string>> = {
  408: 'The request took too long to arrive. Send it again, faster.',
  414: 'The address of the request, or a part of it, is too long.',
  431: 'The headers of the request are too large.',
};

/**
 * Returns a problem for any thrown value. It shows nothing of an unexpected error or of a source's error (message,
 * stack, the source's own text): that belongs in the log.
 */
export function problemOfError(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof HttpException) return problemOfHttp(error);
  if (error instanceof RateLimitedError) return rateLimited(error);
  const { code, sourceCode } = (error ?? {}) as { code?: unknown; sourceCode?: unknown };
  if (typeof code !== 'string') return unexpected();
  const spoken = SPOKEN[code];
  if (spoken && error instanceof Error) {
    const status = typeof spoken.status === 'number' ? spoken.status : spoken.status(error);
    const { retryAfterSeconds } = error as { retryAfterSeconds?: unknown };
    return problem(status, kindOf(code), spoken.title, error.message, {
      code,
      ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
    });
  }
  // A failed build of another process gets the answer that the cause gets there, by its code; without one it is a defect.
  const cause = code === 'CACHE_BUILD_FAILED' ? sourceCode : code;
  if (typeof cause !== 'string') return unexpected();
  const answer = ANSWERS[cause] ?? (/^(SALESFORCE|WHMCS)_/.test(cause) ? SOURCE_REFUSED : undefined);
  if (!answer) return unexpected();
  const { status, kind, title, detail, retryAfterSeconds } = answer;
  return problem(status, kind, title, detail, {
    code: cause,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** The codes of the errors that have an answer of their own. */
export const ANSWERED_CODES: readonly string[] = [...Object.keys(ANSWERS), ...Object.keys(SPOKEN)];

function problemOfHttp(error: HttpException): Problem {
  const status = error.getStatus();
  return status >= 500 ? unexpected(status) : problemOfStatus(status);
}

/** The problem of a failed request when only the status is known, such as one that failed before it had a route. */
export function problemOfStatus(status: number, detail?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  return problem(status, kindOf(title), title, OWN_DETAILS[status] ?? detail ?? CLIENT_DETAILS[status]);
}

function unexpected(status = 500): Problem {
  const detail = 'Something went wrong on our side. Quote the request id when you report this.';
  return problem(status, 'internal-error', STATUS_CODES[status] ?? 'Internal Server Error', detail);
}

function kindOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
