import { defaulted, optional } from '@bff/infra/config/documented-variable';
import { key32, listOf, oneOf, wholeNumber, type ValueKind } from '@bff/infra/config/value-kinds';

/** Key material of 32 bytes in base64, and the id by which encrypted values name it. */
export interface EncryptionKeyText {
  readonly id: string;
  readonly base64: string;
}

/** One or more keys of 32 bytes with different ids. */
const encryptionKeys: ValueKind<readonly EncryptionKeyText[]> = {
  expected:
    'one or more keys such as 2026a:<openssl rand -base64 32>, separated by commas, each with an id of its own and none of zero bytes alone',
  parse: (given) => {
    const keys = listOf(given, parseEncryptionKey);
    return keys && new Set(keys.map((key) => key.id)).size === keys.length ? keys : undefined;
  },
};

function parseEncryptionKey(given: string): EncryptionKeyText | undefined {
  const [, id, rest] = /^([A-Za-z0-9._-]{1,32}):(.+)$/.exec(given.trim()) ?? [];
  const base64 = rest === undefined ? undefined : key32.parse(rest);
  return id !== undefined && base64 !== undefined ? { id, base64 } : undefined;
}

/** The variables of the cache. The cache itself knows nothing of the environment. */
export const cacheVariables = {
  CACHE_PARTITIONS: defaulted(wholeNumber(1, 256), '1', {
    group: 'cache',
    description:
      'Into how many partitions the keys are divided; more than 1 only pays on Redis Cluster. All processes must agree.',
  }),
  CACHE_L1: defaulted(oneOf('off', 'bounded', 'strict'), 'strict', {
    group: 'cache',
    description:
      'Entries in each process too: strict, never older than acknowledged; bounded, at most a second older. The same in all processes.',
  }),
  CACHE_SAFETY_TTL_SECONDS: defaulted(wholeNumber(0, 2_592_000), '0', {
    group: 'cache',
    description: 'Bounds the age of change-driven entries too; 0 means that only a change ends them.',
  }),
  CACHE_RETENTION_DAYS: defaulted(wholeNumber(1, 365), '30', {
    group: 'cache',
    description: 'After how long the store frees an entry that nothing has invalidated.',
  }),
  CACHE_MEMORY_MAX_MB: defaulted(wholeNumber(1, 16_384), '256', {
    group: 'cache',
    description: 'The most that the embedded store holds, in MiB; it then evicts what was used least recently.',
  }),
  CACHE_ENCRYPTION_KEYS: optional(encryptionKeys, {
    group: 'cache',
    description: 'Keys for sensitive buckets: the first encrypts, all decrypt. Make one with: openssl rand -base64 32',
    secret: 'whole',
  }),
  CACHE_LEASE_MS: defaulted(wholeNumber(100, 300_000), '10000', {
    group: 'cache',
    description: 'How long other processes wait for a builder that died.',
  }),
  CACHE_WAIT_MS: defaulted(wholeNumber(1, 300_000), '30000', {
    group: 'cache',
    description: 'How long a caller waits for a value that someone else is building.',
  }),
  CACHE_BYPASS_CONCURRENCY: defaulted(wholeNumber(1, 1000), '32', {
    group: 'cache',
    description: 'How many fetches may run at once while the store does not answer.',
  }),
};
