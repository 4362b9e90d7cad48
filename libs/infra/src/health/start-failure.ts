import { CacheError } from '../cache/cache.errors.js';
import { ConfigError } from '../config/config.errors.js';

/**
 * The message for a process that did not start for a reason that people can fix: a wrong configuration, a port in use,
 * an unsuitable Redis. Undefined for any other failure. `portVariable` is the variable that sets the port.
 */
export function startFailure(error: unknown, portVariable: string): string | undefined {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof CacheError && error.code === 'CACHE_STORE_UNSUITABLE') return error.message;
  const { code, port, address } = (error ?? {}) as { code?: unknown; port?: unknown; address?: unknown };
  if (code !== 'EADDRINUSE') return undefined;
  return `port ${String(port)} of ${String(address)} is in use by another process: stop that one, or set ${portVariable} to a free port`;
}
