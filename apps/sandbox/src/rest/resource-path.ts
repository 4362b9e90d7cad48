import { SalesforceFault } from '../org/org.errors.js';

/** Where a call goes: `/services/data/v67.0/sobjects/Order/801…?fields=Status`. */
export interface ResourcePath {
  /** `v67.0`, as it was written; whether it is served is not checked here. */
  readonly version: string;
  /** The segments after the version, each decoded by itself: a value may hold a slash (`%2F`). */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Reads the address of a call below `/services/data/`; undefined if it is another one. A broken escape is a 400. */
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
