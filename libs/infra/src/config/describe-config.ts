import { withoutSecrets } from './mask.js';

const secretFields = new Set([
  'clientSecret',
  'privateKey',
  'secret',
  'secrets',
  'identifier',
  'pseudonymKey',
  'password',
  'base64',
  'tlsKey',
  'sentinelPassword',
  'pseudonymKey',
  'token',
]);

/**
 * The configuration as lines `group.field = value` for the start-up log at level debug; secrets are replaced by `****`.
 */
export function describeConfig(config: object): string {
  return lines('', config).join('\n');
}

function lines(path: string, value: unknown): string[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([field, part]) => {
      const hidden = secretFields.has(field) && part !== undefined;
      return lines(path ? `${path}.${field}` : field, hidden ? '****' : part);
    });
  }
  if (typeof value === 'string' && value.includes('\n')) {
    const [first] = value.split('\n', 1);
    return [`${path} = ${first} … (${value.length} characters)`];
  }
  if (typeof value === 'string') return [`${path} = ${/^\w+:\/\//.test(value) ? withoutSecrets(value) : value}`];
  return [`${path} = ${value === undefined ? '(not set)' : JSON.stringify(value)}`];
}
