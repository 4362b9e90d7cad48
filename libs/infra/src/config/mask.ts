import { documentationOf, type VariableName } from './environment.schema.js';

/** The given text in quotes, as far as it may be shown; undefined when there is none. */
export function masked(name: VariableName, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (documentationOf(name).secret === 'whole') return `(hidden, ${given.length} characters)`;
  const shown = withoutSecrets(given);
  return JSON.stringify(shown.length > 120 ? `${shown.slice(0, 120)}…` : shown);
}

/**
 * A value without what may be a secret in a URL or an address: everything up to the last `@`, where a user and a password
 * stand, and what follows a `?` or a `#`. It is for every value, because a secret may stand where none belongs.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1****@').replace(/([?#]).*$/s, '$1****');
}
