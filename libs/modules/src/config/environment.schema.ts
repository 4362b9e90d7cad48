import { z } from 'zod';
import { defaulted, optional, type VariableDocumentation } from './documented-variable.js';
import { eventVariables, salesforceVariables } from './salesforce-variables.js';
import {
  addresses,
  boolean,
  certificates,
  encryptionKeys,
  oneLine,
  oneOf,
  port,
  redisUrl,
  text,
  tlsKey,
  url,
  wholeNumber,
} from './value-kinds.js';

const httpUrl = url('https:', 'http:');

const applicationVariables = {
  APP_NAME: defaulted(text('1 to 64 of the characters A-Z a-z 0-9 . _ -', /^[A-Za-z0-9._-]{1,64}$/), 'evergreen', {
    group: 'app',
    description: 'Prefixes every key in Redis and names this product in logs.',
  }),
  NODE_ENV: defaulted(oneOf('development', 'test', 'production'), 'development', {
    group: 'app',
    description: 'production writes logs as JSON lines; the others write them for people.',
  }),
  LOG_LEVEL: defaulted(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info', {
    group: 'app',
    description: 'The least important log line that is still written.',
  }),
  HOST: defaulted(text('a host name or an IP address', /^[A-Za-z0-9.:_-]{1,253}$/), '127.0.0.1', {
    group: 'http',
    description: 'The address on which the BFF and the health port of the worker listen; 0.0.0.0 in a container.',
  }),
  PORT: defaulted(port, '3000', { group: 'http', description: 'The port of the BFF; 0 picks a free one.' }),
  HTTP_BODY_LIMIT_BYTES: defaulted(wholeNumber(1_024, 10_485_760), '65536', {
    group: 'http',
    description: 'A larger request body is answered with 413.',
  }),
  SHUTDOWN_GRACE_MS: defaulted(wholeNumber(0, 300_000), '10000', {
    group: 'http',
    description: 'How long running requests may take to end after SIGTERM before they are cut off.',
  }),
  WORKER_PORT: defaulted(port, '3100', {
    group: 'worker',
    description: 'The port on which the change-event worker answers health questions; 0 picks a free one.',
  }),
};

const streamVariables = {
  SSE_HEARTBEAT_MS: defaulted(wholeNumber(1_000, 60_000), '15000', {
    group: 'sse',
    description: 'How often an event stream that has nothing to tell shows that it is alive.',
  }),
  SSE_RETRY_MS: defaulted(wholeNumber(100, 60_000), '3000', {
    group: 'sse',
    description: 'How long browsers wait before they open a lost event stream again.',
  }),
  SSE_STREAMS_MAX: defaulted(wholeNumber(1, 100_000), '1000', {
    group: 'sse',
    description: 'How many event streams one process holds open; one more is answered with 503.',
  }),
  SSE_STREAMS_PER_ACCOUNT_MAX: defaulted(wholeNumber(1, 10_000), '50', {
    group: 'sse',
    description: 'How many event streams one process holds open for one account; one more is answered with 429.',
  }),
  SSE_BUFFER_MAX_BYTES: defaulted(wholeNumber(1_024, 16_777_216), '65536', {
    group: 'sse',
    description: 'How much may wait to be read by one browser; one that is slower is dropped.',
  }),
};

const redisVariables = {
  REDIS_URL: optional(redisUrl, {
    group: 'redis',
    description: 'One Redis server. Without any Redis setting the embedded store is used.',
    secret: 'userinfo',
  }),
  REDIS_SENTINELS: optional(addresses, {
    group: 'redis',
    description: 'The Sentinels to ask for the primary, instead of REDIS_URL.',
  }),
  REDIS_SENTINEL_NAME: optional(oneLine, {
    group: 'redis',
    description: 'The name of the primary that the Sentinels watch; goes with REDIS_SENTINELS.',
  }),
  REDIS_CLUSTER_NODES: optional(addresses, {
    group: 'redis',
    description: 'Some nodes of a Redis Cluster, instead of REDIS_URL.',
  }),
  REDIS_USERNAME: optional(oneLine, {
    group: 'redis',
    description: 'The user for Sentinel or Cluster set-ups; REDIS_URL carries its own.',
  }),
  REDIS_PASSWORD: optional(oneLine, {
    group: 'redis',
    description: 'The password for Sentinel or Cluster set-ups; REDIS_URL carries its own.',
    secret: 'whole',
  }),
  REDIS_TLS: defaulted(boolean, 'false', {
    group: 'redis',
    description: 'Whether Sentinel or Cluster connections use TLS; for REDIS_URL, rediss:// says so.',
  }),
  REDIS_TLS_CA: optional(certificates, {
    group: 'redis',
    description:
      'The authorities that sign the certificates of Redis and the Sentinels, instead of those that Node knows.',
  }),
  REDIS_TLS_CERT: optional(certificates, {
    group: 'redis',
    description: 'The certificate that this process shows to Redis and the Sentinels; goes with REDIS_TLS_KEY.',
  }),
  REDIS_TLS_KEY: optional(tlsKey, {
    group: 'redis',
    description: 'The private key of REDIS_TLS_CERT.',
    secret: 'whole',
  }),
  REDIS_SENTINEL_TLS: optional(boolean, {
    group: 'redis',
    description: 'Whether the connections to the Sentinels themselves use TLS; when it is not set, as REDIS_TLS says.',
  }),
  REDIS_SENTINEL_USERNAME: optional(oneLine, {
    group: 'redis',
    description: 'The user at the Sentinels themselves.',
  }),
  REDIS_SENTINEL_PASSWORD: optional(oneLine, {
    group: 'redis',
    description: 'The password at the Sentinels themselves; that of the servers is REDIS_PASSWORD.',
    secret: 'whole',
  }),
  REDIS_ON_SPLIT: defaulted(oneOf('refuse', 'serve'), 'refuse', {
    group: 'redis',
    description:
      'While most Sentinels, or masters of the Cluster, do not confirm the primary: refuse goes to the source, serve may serve old values.',
  }),
  REDIS_COMMAND_TIMEOUT_MS: defaulted(wholeNumber(10, 60_000), '200', {
    group: 'redis',
    description:
      'A command that Redis has not answered after this time is rejected; a caller waits three eighths of it, then the source answers.',
  }),
  REDIS_CONNECT_TIMEOUT_MS: defaulted(wholeNumber(10, 60_000), '2000', {
    group: 'redis',
    description: 'An attempt to connect is given up after this time and made again.',
  }),
};

const cacheVariables = {
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

const whmcsVariables = {
  WHMCS_API_URL: optional(httpUrl, {
    group: 'whmcs',
    description: 'The URL of includes/api.php. Without it the local sandbox is used.',
  }),
  WHMCS_API_IDENTIFIER: optional(oneLine, { group: 'whmcs', description: 'The identifier of the API credential.' }),
  WHMCS_API_SECRET: optional(oneLine, {
    group: 'whmcs',
    description: 'The secret of the API credential.',
    secret: 'whole',
  }),
  WHMCS_REQUEST_TIMEOUT_MS: defaulted(wholeNumber(100, 600_000), '15000', {
    group: 'whmcs',
    description: 'A request that WHMCS has not answered after this time fails.',
  }),
  WHMCS_CONCURRENCY: defaulted(wholeNumber(1, 1_000), '5', {
    group: 'whmcs',
    description: 'How many requests to WHMCS may run at once in one process.',
  }),
  WHMCS_WEBHOOK_SECRET: optional(text('at least 32 characters on one line', /^[^\r\n]{32,4096}$/), {
    group: 'whmcs',
    description: 'Signs POST /webhooks/whmcs; without it there is no such address. Make one with: openssl rand -hex 32',
    secret: 'whole',
  }),
  WHMCS_WEBHOOK_TOLERANCE_SECONDS: defaulted(wholeNumber(5, 3_600), '300', {
    group: 'whmcs',
    description: 'How far the time that a webhook was signed at may be from ours.',
  }),
};

const authVariables = {
  AUTH_ISSUER: optional(httpUrl, {
    group: 'auth',
    description: "The issuer (iss) of the customers' tokens. Without it the local sandbox is the issuer.",
  }),
  AUTH_AUDIENCE: optional(oneLine, {
    group: 'auth',
    description: 'The audience (aud) that a token must name; evergreen-portal with the sandbox.',
  }),
  AUTH_JWKS_URL: optional(httpUrl, {
    group: 'auth',
    description: "Where the issuer publishes its keys; with the sandbox, the issuer's /.well-known/jwks.json.",
  }),
  AUTH_JWKS_GRACE_SECONDS: defaulted(wholeNumber(0, 604_800), '86400', {
    group: 'auth',
    description:
      'How long the last good keys are used while the issuer does not answer, beyond the ten minutes after which they are fetched anew.',
  }),
};

/** `apps/sandbox` reads these itself; they are here so that one place lists and checks everything. */
const sandboxVariables = {
  SANDBOX_HOST: defaulted(text('a host name or an IP address', /^[A-Za-z0-9.:_-]{1,253}$/), '127.0.0.1', {
    group: 'sandbox',
    description: 'The address on which the sandbox listens, and where the BFF and the worker find it.',
  }),
  SANDBOX_PORT: defaulted(port, '4000', { group: 'sandbox', description: 'The HTTP port of the sandbox.' }),
  SANDBOX_GRPC_PORT: defaulted(port, '4001', {
    group: 'sandbox',
    description: 'The gRPC port of the sandbox (Pub/Sub API): TLS, and plaintext from this machine.',
  }),
  SANDBOX_PUBLIC_URL: optional(httpUrl, {
    group: 'sandbox',
    description:
      "Where the BFF and the worker find the sandbox, and the issuer in its customers' tokens, if not at host and port.",
  }),
  SANDBOX_LATENCY_MS: defaulted(wholeNumber(0, 60_000), '300', {
    group: 'sandbox',
    description: 'How long the sandbox takes for a query, so that a hit and a miss can be told apart by eye.',
  }),
  SANDBOX_DATA: optional(oneLine, {
    group: 'sandbox',
    description: "A folder with an export in Salesforce's sObject-tree format, to load beside the made-up records.",
  }),
  SANDBOX_SESSION_SECONDS: defaulted(wholeNumber(1, 86_400), '7200', {
    group: 'sandbox',
    description: 'How long an access token of the sandbox lasts.',
  }),
  SANDBOX_JWT_PUBLIC_KEY: optional(text('a public key in PEM form', /-----BEGIN/), {
    group: 'sandbox',
    description:
      'The public key (PEM) with which the sandbox checks JWT bearer assertions; without it, it refuses them.',
  }),
  SANDBOX_JWT_AUDIENCE: optional(httpUrl, {
    group: 'sandbox',
    description:
      'The only audience that the sandbox takes in a JWT; without it, its own URL and those of login and test.salesforce.com.',
  }),
  SANDBOX_DAILY_API_REQUESTS: defaulted(wholeNumber(1, 100_000_000), '5000000', {
    group: 'sandbox',
    description: 'How many requests the sandbox answers before REQUEST_LIMIT_EXCEEDED.',
  }),
  SANDBOX_CONNECT_TIMEOUT_MS: defaulted(wholeNumber(100, 110_000), '110000', {
    group: 'sandbox',
    description: 'How long the sandbox holds a CometD connect that has nothing to tell.',
  }),
  SANDBOX_DAILY_EVENT_DELIVERIES: defaulted(wholeNumber(1, 100_000_000), '5000000', {
    group: 'sandbox',
    description: 'How many events the sandbox delivers, to all subscribers together, before it refuses more.',
  }),
  SANDBOX_KEEPALIVE_MS: defaulted(wholeNumber(100, 270_000), '270000', {
    group: 'sandbox',
    description: 'After how long without events the sandbox sends a keep-alive on a Pub/Sub stream.',
  }),
  SANDBOX_FETCH_TIMEOUT_MS: defaulted(wholeNumber(100, 60_000), '60000', {
    group: 'sandbox',
    description: 'How long a Pub/Sub stream of the sandbox may have nothing requested before it is closed.',
  }),
  SANDBOX_SETTLE_MS: defaulted(wholeNumber(0, 60_000), '0', {
    group: 'sandbox',
    description: 'How long after a subscription at LATEST the sandbox still loses events; about 3000 in real orgs.',
  }),
};

/**
 * Every environment variable that this product reads: its check, its default, its documentation. The only such list.
 */
export const environmentSchema = z.object({
  ...applicationVariables,
  ...streamVariables,
  ...redisVariables,
  ...cacheVariables,
  ...salesforceVariables,
  ...eventVariables,
  ...whmcsVariables,
  ...authVariables,
  ...sandboxVariables,
});

/** The values of all variables after their own checks, before the checks that involve several. */
export type Environment = z.output<typeof environmentSchema>;

/** The name of a variable that the schema knows. */
export type VariableName = keyof Environment;

/** All variable names, in the order in which they are documented. */
export const variableNames = Object.keys(environmentSchema.shape) as VariableName[];

/** The documentation of a variable in the schema. */
export function documentationOf(name: VariableName): VariableDocumentation {
  return environmentSchema.shape[name].meta() as unknown as VariableDocumentation;
}
