import type { ConfigProblem } from './config.errors.js';
import { masked } from './mask.js';

/** Whether a URL names this machine. Plain http is accepted only there. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** A problem for each of these URLs over which secrets would travel without TLS. */
export function insecureUrlProblems<Name extends string>(
  values: Readonly<Partial<Record<Name, unknown>>>,
  names: readonly Name[],
): ConfigProblem[] {
  return names.flatMap((name) => {
    const url = values[name];
    if (typeof url !== 'string' || url.startsWith('https:') || isLoopback(url)) return [];
    const expected = 'https://, because secrets travel to it (http only on this machine)';
    return [{ name, given: masked(url), expected }];
  });
}
