/**
 * Why there is no whole answer.
 *
 * - `unreachable`: no answer began; `broken`: it began, but ended early or cannot be decompressed
 * - `timeout`, `aborted`: the time was over, or the caller gave up
 * - `too-large`: the answer has more bytes than allowed, decompressed
 * - `redirected`: a redirect that is not followed: to another origin or to no address, of a write, one too many, or one
 *   that would change the method
 */
export type HttpFaultKind = 'aborted' | 'broken' | 'redirected' | 'timeout' | 'too-large' | 'unreachable';

/**
 * An exchange without a whole answer. The message names no address but a redirect's origin, and nothing that was sent.
 */
export class HttpFaultError extends Error {
  constructor(
    readonly kind: HttpFaultKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'HttpFaultError';
  }
}

/** The error as a fault of this kind, with Node's own code, if any, in its message; a fault is returned unchanged. */
export function toHttpFault(error: unknown, kind: HttpFaultKind, text: string): HttpFaultError {
  if (error instanceof HttpFaultError) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  return new HttpFaultError(kind, typeof code === 'string' ? `${text} (${code})` : text, { cause: error });
}
