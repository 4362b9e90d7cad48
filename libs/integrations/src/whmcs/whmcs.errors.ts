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

/** The error that `result: error` with this message means. WHMCS has no error codes, only English sentences. */
export function errorOfAnswer(action: string, status: number, message: string): WhmcsError {
  const text = `${action} failed: ${message.slice(0, 300)}`;
  if (/not found/i.test(message) && !/command not found/i.test(message)) return new WhmcsError('WHMCS_NOT_FOUND', text);
  if (
    status === 401 ||
    status === 403 ||
    /authentication failed|invalid ip|permission|access denied|credentials/i.test(message)
  ) {
    return new WhmcsError(
      'WHMCS_AUTH_FAILED',
      `${text}; check the API credentials, their role and the allowed addresses`,
    );
  }
  return status >= 500 ? new WhmcsError('WHMCS_UNAVAILABLE', text) : new WhmcsError('WHMCS_BAD_REQUEST', text);
}
