import type { HttpFaultError, HttpFaultKind } from '@bff/infra/http/http-fault';
import { quotedText } from '@bff/infra/logging/quoted-text';
import type { FailureVerdict } from '@bff/infra/sources/source-calls';
import { QuotaReservedError } from '@bff/infra/sources/sources.errors';

const MESSAGE_LENGTH_MAX = 400;

/** The stable codes of the operating errors of the Salesforce clients. */
export type SalesforceErrorCode =
  | 'SALESFORCE_ABORTED'
  | 'SALESFORCE_AUTH_FAILED'
  | 'SALESFORCE_BAD_REQUEST'
  | 'SALESFORCE_CLOSED'
  | 'SALESFORCE_CONFLICT'
  | 'SALESFORCE_FORBIDDEN'
  | 'SALESFORCE_INVALID_ANSWER'
  | 'SALESFORCE_INVALID_OPTION'
  | 'SALESFORCE_LIMIT_EXCEEDED'
  | 'SALESFORCE_NOT_FOUND'
  | 'SALESFORCE_OVERLOADED'
  | 'SALESFORCE_QUOTA_RESERVED'
  | 'SALESFORCE_RESULT_TOO_LARGE'
  | 'SALESFORCE_TIMEOUT'
  | 'SALESFORCE_UNAVAILABLE';

const RETRYABLE: ReadonlySet<SalesforceErrorCode> = new Set<SalesforceErrorCode>([
  'SALESFORCE_CONFLICT',
  'SALESFORCE_LIMIT_EXCEEDED',
  'SALESFORCE_OVERLOADED',
  'SALESFORCE_QUOTA_RESERVED',
  'SALESFORCE_TIMEOUT',
  'SALESFORCE_UNAVAILABLE',
]);

/**
 * An expected failure of a call to Salesforce. `retryable`: the same call may succeed later without a change; a
 * retryable write may still have happened. The message is masked and bounded (`quotedText`).
 */
export class SalesforceError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: SalesforceErrorCode,
    message: string,
    /** Salesforce's own `errorCode`, e.g. `MALFORMED_QUERY`, where it gave one. */
    readonly salesforceCode?: string,
    options?: ErrorOptions,
  ) {
    super(quotedText(message, MESSAGE_LENGTH_MAX), options);
    this.name = 'SalesforceError';
    this.retryable = RETRYABLE.has(code);
  }
}

/** Failures for which Salesforce is not to blame: our own refusals, and the size of one answer. */
const UNSAID: ReadonlySet<SalesforceErrorCode> = new Set<SalesforceErrorCode>([
  'SALESFORCE_ABORTED',
  'SALESFORCE_CLOSED',
  'SALESFORCE_OVERLOADED',
  'SALESFORCE_RESULT_TOO_LARGE',
]);

/**
 * What a failed request says of Salesforce. A locked row says that it works. A request that is not found says that it
 * does not: no customer chooses what is asked for, so the API version or an object is wrong.
 */
export function verdictOn(error: unknown): FailureVerdict {
  if (error instanceof QuotaReservedError) return { code: 'SALESFORCE_QUOTA_RESERVED' };
  if (!(error instanceof SalesforceError)) return { code: 'UNEXPECTED' };
  if (error.code === 'SALESFORCE_CONFLICT') return 'answered';
  return UNSAID.has(error.code) ? 'unsaid' : { code: error.code };
}

/** Translates an error that jsforce threw and keeps it as `cause`; returns a `SalesforceError` as it is. */
export function toSalesforceError(error: unknown, operation: string): SalesforceError {
  if (error instanceof SalesforceError) return error;
  const { name, message, errorCode, code } = describeError(error);
  const salesforceCode = errorCode ?? (/^[A-Z][A-Z_]+(_\d+)?$/.test(name) ? name : undefined);
  const translated = salesforceCode === undefined ? codeOfTransport(name, message, code) : codeOf(salesforceCode);
  const detail = salesforceCode === undefined ? message : `${salesforceCode}: ${message}`;
  return new SalesforceError(translated, `${operation} failed: ${detail}`, salesforceCode, { cause: error });
}

/** The error for an answer that holds a row of another account than was asked for. It tells nothing of the row. */
export function foreignRow(what: string): SalesforceError {
  const text = `the answer to the query for ${what} of an account holds a row of another one; it is not used`;
  return new SalesforceError('SALESFORCE_INVALID_ANSWER', text);
}

const FAULT_CODES: Readonly<Record<HttpFaultKind, SalesforceErrorCode>> = {
  aborted: 'SALESFORCE_ABORTED',
  broken: 'SALESFORCE_UNAVAILABLE',
  redirected: 'SALESFORCE_UNAVAILABLE',
  timeout: 'SALESFORCE_TIMEOUT',
  'too-large': 'SALESFORCE_RESULT_TOO_LARGE',
  unreachable: 'SALESFORCE_UNAVAILABLE',
};

/** The error for a request without a complete answer. */
export function errorOfFault(fault: HttpFaultError, operation: string): SalesforceError {
  const advice = fault.kind === 'redirected' ? '; check SF_LOGIN_URL, and the My Domain of the org' : '';
  return new SalesforceError(FAULT_CODES[fault.kind], `${operation} failed: ${fault.message}${advice}`, undefined, {
    cause: fault,
  });
}

/**
 * The code for an error answer without JSON. A server in front of Salesforce gave it, so the condition is taken to be
 * temporary, whatever the status.
 */
export function codeOfForeignAnswer(status: number): SalesforceErrorCode {
  const code = codeOfStatus(status);
  return code === 'SALESFORCE_TIMEOUT' || code === 'SALESFORCE_LIMIT_EXCEEDED' ? code : 'SALESFORCE_UNAVAILABLE';
}

/**
 * The translation of one `errorCode` of Salesforce (REST API Developer Guide, "Status Codes and Error Responses"), or
 * of `ERROR_HTTP_503` and the like, which jsforce makes of a status. An unknown code is a bad request.
 */
export function codeOf(errorCode: string): SalesforceErrorCode {
  const known = CODES[errorCode];
  if (known !== undefined) return known;
  const status = /^ERROR_HTTP_(\d{3})$/.exec(errorCode)?.[1];
  if (status === undefined) return 'SALESFORCE_BAD_REQUEST';
  return codeOfStatus(Number(status));
}

const CODES: Readonly<Record<string, SalesforceErrorCode>> = {
  API_DISABLED_FOR_ORG: 'SALESFORCE_FORBIDDEN',
  CONCURRENT_REQUESTS_LIMIT_EXCEEDED: 'SALESFORCE_LIMIT_EXCEEDED',
  ENTITY_IS_DELETED: 'SALESFORCE_NOT_FOUND',
  INSUFFICIENT_ACCESS: 'SALESFORCE_FORBIDDEN',
  INSUFFICIENT_ACCESS_OR_READONLY: 'SALESFORCE_FORBIDDEN',
  INVALID_AUTH_HEADER: 'SALESFORCE_AUTH_FAILED',
  INVALID_QUERY_LOCATOR: 'SALESFORCE_CONFLICT',
  INVALID_SESSION_ID: 'SALESFORCE_AUTH_FAILED',
  NOT_FOUND: 'SALESFORCE_NOT_FOUND',
  QUERY_TIMEOUT: 'SALESFORCE_TIMEOUT',
  REQUEST_LIMIT_EXCEEDED: 'SALESFORCE_LIMIT_EXCEEDED',
  REQUEST_RUNNING_TOO_LONG: 'SALESFORCE_TIMEOUT',
  SERVER_UNAVAILABLE: 'SALESFORCE_UNAVAILABLE',
  UNABLE_TO_LOCK_ROW: 'SALESFORCE_CONFLICT',
  UNKNOWN_EXCEPTION: 'SALESFORCE_UNAVAILABLE',
};

function codeOfStatus(status: number): SalesforceErrorCode {
  if (status === 401) return 'SALESFORCE_AUTH_FAILED';
  if (status === 403) return 'SALESFORCE_FORBIDDEN';
  if (status === 404) return 'SALESFORCE_NOT_FOUND';
  if (status === 408 || status === 504) return 'SALESFORCE_TIMEOUT';
  if (status === 420 || status === 429) return 'SALESFORCE_LIMIT_EXCEEDED';
  return status >= 500 ? 'SALESFORCE_UNAVAILABLE' : 'SALESFORCE_BAD_REQUEST';
}

/**
 * A time-out is our own deadline (TimeoutError), one of jsforce (AbortError or "Request Timeout") or one of the system
 * (ETIMEDOUT).
 */
function codeOfTransport(name: string, message: string, code: string | undefined): SalesforceErrorCode {
  const isTimeout =
    name === 'AbortError' || name === 'TimeoutError' || code === 'ETIMEDOUT' || /timeout/i.test(message);
  return isTimeout ? 'SALESFORCE_TIMEOUT' : 'SALESFORCE_UNAVAILABLE';
}

interface ForeignError {
  readonly name: string;
  readonly message: string;
  readonly errorCode: string | undefined;
  readonly code: string | undefined;
}

function describeError(error: unknown): ForeignError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), errorCode: undefined, code: undefined };
  const { errorCode, code } = error as { errorCode?: unknown; code?: unknown };
  return {
    name: error.name,
    message: error.message,
    // jsforce sets errorCode to the error's name when Salesforce gave none; that name is `Error` by default.
    errorCode: typeof errorCode === 'string' && errorCode !== 'Error' ? errorCode : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}
