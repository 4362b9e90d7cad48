import { SalesforceFault } from '../org/org.errors.js';

/** The target of a call: `/services/data/v67.0/sobjects/Order/801…?fields=Status`. */
export interface ResourcePath {
  /** The version as written, such as `v67.0`; it may be one that is not served. */
  readonly version: string;
  /** The segments after the version, each decoded on its own, as a value may hold a slash (`%2F`). */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Parses the address of a call below `/services/data/`; undefined for any other address. Throws 400 for a broken
 * escape.
 */
export function resourcePath(url: string): ResourcePath | undefined {
  const [address, ...query] = url.split('?');
  const below = /^\/+services\/+data\/+(.*)$/.exec(address ?? '')?.[1];
  const [version, ...path] = (below ?? '').split('/').filter(Boolean).map(decoded);
  return version === undefined ? undefined : { version, path, query: new URLSearchParams(query.join('?')) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new SalesforceFault(400, 'INVALID_INPUT', `the address has a broken escape: ${segment}`);
  }
}
