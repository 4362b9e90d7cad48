import type { VariableDocumentation } from './documented-variable.js';

/**
 * The given text in quotes, without secrets and at most 120 characters; only its length if all of it is secret;
 * undefined if no text was given.
 */
export function masked(given: string | undefined, secret?: VariableDocumentation['secret']): string | undefined {
  if (given === undefined) return undefined;
  if (secret === 'whole') return `(hidden, ${given.length} characters)`;
  const shown = withoutSecrets(given);
  return JSON.stringify(shown.length > 120 ? `${shown.slice(0, 120)}…` : shown);
}

/**
 * A value without the parts that may be secret in a URL or an address: everything between the scheme and the last `@`,
 * where user and password are, and everything after a `?` or a `#`. Apply it to every value: a secret may be where none
 * belongs.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1****@').replace(/([?#]).*$/s, '$1****');
}
