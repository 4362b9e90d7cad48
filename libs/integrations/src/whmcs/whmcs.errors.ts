import type { HttpFaultError, HttpFaultKind } from '@bff/infra/http/http-fault';
import type { Masking } from '@bff/infra/logging/masking';
import { quotedText } from '@bff/infra/logging/quoted-text';
import type { FailureVerdict } from '@bff/infra/sources/source-calls';

/** Maximum characters of a sentence of WHMCS in an error's message. */
const QUOTED_LENGTH_MAX = 300;

/** The stable codes of the operating errors of the WHMCS client. */
export type WhmcsErrorCode =
  | 'WHMCS_AUTH_FAILED'
  | 'WHMCS_BAD_REQUEST'
  | 'WHMCS_CLOSED'
  | 'WHMCS_INVALID_ANSWER'
  | 'WHMCS_INVALID_OPTION'
  | 'WHMCS_NOT_FOUND'
  | 'WHMCS_OVERLOADED'
  | 'WHMCS_RESULT_TOO_LARGE'
  | 'WHMCS_TIMEOUT'
  | 'WHMCS_UNAVAILABLE';

const RETRYABLE: ReadonlySet<WhmcsErrorCode> = new Set<WhmcsErrorCode>([
  'WHMCS_OVERLOADED',
  'WHMCS_TIMEOUT',
  'WHMCS_UNAVAILABLE',
]);

/** An expected failure of a call to WHMCS. The message holds neither the API identifier nor its secret. */
export class WhmcsError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: WhmcsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'WhmcsError';
    this.retryable = RETRYABLE.has(code);
  }
}

/** Failures for which WHMCS is not to blame: our own refusals, and the size of one answer. */
const UNSAID: ReadonlySet<WhmcsErrorCode> = new Set<WhmcsErrorCode>([
  'WHMCS_CLOSED',
  'WHMCS_OVERLOADED',
  'WHMCS_RESULT_TOO_LARGE',
]);

/** What a failed call says of WHMCS. A record that is not found says that it works. */
export function verdictOn(error: unknown): FailureVerdict {
  if (!(error instanceof WhmcsError)) return { code: 'UNEXPECTED' };
  if (error.code === 'WHMCS_NOT_FOUND') return 'answered';
  return UNSAID.has(error.code) ? 'unsaid' : { code: error.code };
}

/**
 * The error for an answer of WHMCS that reports a failure. WHMCS has no error codes, only English sentences, so the
 * message decides, beside the status. The error quotes it, masked.
 */
export function errorOfAnswer(action: string, status: number, message: string, masking: Masking): WhmcsError {
  const text = `${action} failed: ${quotedText(message, QUOTED_LENGTH_MAX, masking)}`;
  if (/not found/i.test(message) && !/command not found/i.test(message)) return new WhmcsError('WHMCS_NOT_FOUND', text);
  if (isPassing(status)) return new WhmcsError('WHMCS_UNAVAILABLE', text);
  if (
    status === 401 ||
    status === 403 ||
    /authentication failed|invalid ip|permission|access denied|credentials/i.test(message)
  ) {
    return new WhmcsError('WHMCS_AUTH_FAILED', `${text}; ${CREDENTIALS_ADVICE}`);
  }
  return new WhmcsError('WHMCS_BAD_REQUEST', text);
}

/**
 * The error for an answer that does not come from WHMCS but from a server in front of it. A 403 there is a firewall or
 * a maintenance page, both temporary; WHMCS itself refuses credentials as JSON.
 */
export function errorOfForeignAnswer(action: string, status: number): WhmcsError {
  const text = `${action} failed: HTTP ${status}, and no answer of WHMCS`;
  if (isPassing(status)) return new WhmcsError('WHMCS_UNAVAILABLE', text);
  if (status === 403) {
    return new WhmcsError(
      'WHMCS_UNAVAILABLE',
      `${text}; something in front of it refuses us: a firewall, or maintenance`,
    );
  }
  if (status === 401) return new WhmcsError('WHMCS_AUTH_FAILED', `${text}; ${CREDENTIALS_ADVICE}`);
  return new WhmcsError('WHMCS_INVALID_ANSWER', `${text}; check that the URL is that of includes/api.php`);
}

const FAULT_CODES: Readonly<Record<HttpFaultKind, WhmcsErrorCode>> = {
  aborted: 'WHMCS_TIMEOUT',
  broken: 'WHMCS_UNAVAILABLE',
  redirected: 'WHMCS_INVALID_ANSWER',
  timeout: 'WHMCS_TIMEOUT',
  'too-large': 'WHMCS_RESULT_TOO_LARGE',
  unreachable: 'WHMCS_UNAVAILABLE',
};

/** The error for a request without a complete answer. */
export function errorOfFault(action: string, fault: HttpFaultError): WhmcsError {
  const advice = fault.kind === 'redirected' ? '; check that the URL is that of includes/api.php' : '';
  return new WhmcsError(FAULT_CODES[fault.kind], `${action} failed: ${fault.message}${advice}`, { cause: fault });
}

const CREDENTIALS_ADVICE = 'check the API credentials, their role and the allowed addresses';

function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}
