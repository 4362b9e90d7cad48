const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether the method changes nothing (RFC 9110, section 9.2.1). Requests with any other are writes. */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method);
}
