/**
 * What to tell somebody whose process did not start because its port is taken, in one line; undefined for any other
 * failure. `variable` is the configuration variable that sets the port.
 */
export function portInUse(error: unknown, variable: string): string | undefined {
  const { code, port, address } = (error ?? {}) as { code?: unknown; port?: unknown; address?: unknown };
  if (code !== 'EADDRINUSE') return undefined;
  return `port ${String(port)} of ${String(address)} is in use by another process: stop that one, or set ${variable} to a free port`;
}
