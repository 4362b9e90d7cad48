import { documentationOf, type VariableName } from './environment.schema.js';

/** The given text in quotes, as far as it may be shown; undefined when there is none. */
export function masked(name: VariableName, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const { secret } = documentationOf(name);
  if (secret === 'whole') return `(hidden, ${given.length} characters)`;
  const shown = secret === 'userinfo' || given.includes('://') ? withoutUserinfo(given) : given;
  return JSON.stringify(shown.length > 120 ? `${shown.slice(0, 120)}…` : shown);
}

/** A URL without its user and password. Text that is no URL loses everything up to its last `@`, where a password would be. */
export function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1****@');
}
