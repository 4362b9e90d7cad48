import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { AppConfig, CacheConfig, RedisConfig, SalesforceConfig } from './app-config.js';
import {
  isRealOrg,
  isRedisGiven,
  problemsBetween,
  sandboxPubSubEndpoint,
  sandboxUrlOf,
  type CheckedEnvironment,
} from './config-rules.js';
import { ConfigError, type ConfigProblem } from './config.errors.js';
import { documentationOf, environmentSchema, variableNames, type Environment } from './environment.schema.js';
import { masked } from './mask.js';
import { unknownVariableProblems } from './unknown-variables.js';
import type { EncryptionKeyText } from './value-kinds.js';

/** The variables of a process, as Node gives them. */
export type RawEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The key for sensitive entries while the data is made up. It is published, so it protects nothing; a real org with
 * Redis is refused without a key of its own.
 */
export const demoEncryptionKey: EncryptionKeyText = {
  id: 'demo',
  base64: Buffer.from('evergreen-demo-key-of-32-bytes!!').toString('base64'),
};

/**
 * The checked configuration, deeply frozen. An empty variable counts as not set. Throws a {@link ConfigError} that
 * lists every problem at once; no part of a bad configuration is ever used.
 *
 * @default the environment of the process, over the `.env` file of the working directory if there is one
 */
export function loadConfig(env: RawEnvironment = processEnvironment()): AppConfig {
  const given = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== ''),
  );
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const name of variableNames) {
    const result = environmentSchema.shape[name].safeParse(given[name]?.trim());
    if (result.success) values[name] = result.data;
    else problems.push({ name, given: masked(name, given[name]), expected: documentationOf(name).expected });
  }
  const environment: CheckedEnvironment = { values, isGiven: (name) => name in given };
  problems.push(...problemsBetween(environment), ...unknownVariableProblems(Object.keys(given)));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(group(values as Environment, environment));
}

/** The process's own variables override those of the `.env` file. */
function processEnvironment(): RawEnvironment {
  return existsSync('.env') ? { ...parseEnv(readFileSync('.env', 'utf8')), ...process.env } : process.env;
}

function group(env: Environment, environment: CheckedEnvironment): AppConfig {
  const sandboxUrl = sandboxUrlOf(env);
  const issuer = env.AUTH_ISSUER ?? sandboxUrl;
  return {
    app: { name: env.APP_NAME, environment: env.NODE_ENV, logLevel: env.LOG_LEVEL },
    http: {
      host: env.HOST,
      port: env.PORT,
      bodyLimitBytes: env.HTTP_BODY_LIMIT_BYTES,
      shutdownGraceMs: env.SHUTDOWN_GRACE_MS,
    },
    sse: {
      heartbeatMs: env.SSE_HEARTBEAT_MS,
      retryMs: env.SSE_RETRY_MS,
      streamsMax: env.SSE_STREAMS_MAX,
      streamsPerAccountMax: env.SSE_STREAMS_PER_ACCOUNT_MAX,
      bufferMaxBytes: env.SSE_BUFFER_MAX_BYTES,
    },
    worker: { port: env.WORKER_PORT },
    redis: redis(env),
    cache: cache(env, environment),
    salesforce: salesforce(env, sandboxUrl),
    events: {
      enabled: env.SF_EVENTS_ENABLED,
      orderChannel: env.SF_ORDER_CDC_CHANNEL,
      orderItemChannel: env.SF_ORDER_ITEM_CDC_CHANNEL,
      productChannel: env.SF_CATALOG_PRODUCT_CDC_CHANNEL,
      pricebookEntryChannel: env.SF_CATALOG_PRICEBOOKENTRY_CDC_CHANNEL,
      accountChannel: env.SF_ACCOUNT_CDC_CHANNEL,
      accountEventChannel: env.SF_ACCOUNT_EVENT_CHANNEL,
    },
    whmcs: {
      apiUrl: env.WHMCS_API_URL ?? `${sandboxUrl}/whmcs/includes/api.php`,
      identifier: env.WHMCS_API_IDENTIFIER ?? 'sandbox-identifier',
      secret: env.WHMCS_API_SECRET ?? 'sandbox-secret',
      requestTimeoutMs: env.WHMCS_REQUEST_TIMEOUT_MS,
      concurrency: env.WHMCS_CONCURRENCY,
      webhook: { secret: env.WHMCS_WEBHOOK_SECRET, toleranceSeconds: env.WHMCS_WEBHOOK_TOLERANCE_SECONDS },
    },
    auth: {
      issuer,
      audience: env.AUTH_AUDIENCE ?? 'evergreen-portal',
      jwksUrl: env.AUTH_JWKS_URL ?? `${withoutTrailingSlash(issuer)}/.well-known/jwks.json`,
      jwksGraceSeconds: env.AUTH_JWKS_GRACE_SECONDS,
    },
    sandbox: {
      url: sandboxUrl,
      host: env.SANDBOX_HOST,
      port: env.SANDBOX_PORT,
      grpcPort: env.SANDBOX_GRPC_PORT,
      latencyMs: env.SANDBOX_LATENCY_MS,
      data: env.SANDBOX_DATA,
    },
  };
}

function redis(env: Environment): RedisConfig {
  return {
    url: env.REDIS_URL,
    sentinels: env.REDIS_SENTINELS,
    sentinelName: env.REDIS_SENTINEL_NAME,
    clusterNodes: env.REDIS_CLUSTER_NODES,
    username: env.REDIS_USERNAME,
    password: env.REDIS_PASSWORD,
    tls: env.REDIS_TLS,
    tlsCa: env.REDIS_TLS_CA,
    tlsCert: env.REDIS_TLS_CERT,
    tlsKey: env.REDIS_TLS_KEY,
    sentinelTls: env.REDIS_SENTINEL_TLS ?? env.REDIS_TLS,
    sentinelUsername: env.REDIS_SENTINEL_USERNAME,
    sentinelPassword: env.REDIS_SENTINEL_PASSWORD,
    commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS,
    connectTimeoutMs: env.REDIS_CONNECT_TIMEOUT_MS,
  };
}

function cache(env: Environment, environment: CheckedEnvironment): CacheConfig {
  const usesDemoEncryptionKey = !env.CACHE_ENCRYPTION_KEYS && isRedisGiven(environment) && !isRealOrg(environment);
  return {
    partitions: env.CACHE_PARTITIONS,
    l1: env.CACHE_L1,
    onSplit: env.REDIS_ON_SPLIT,
    safetyTtlSeconds: env.CACHE_SAFETY_TTL_SECONDS,
    feedLostMaxAgeSeconds: env.SF_STREAM_LOST_MAX_AGE_SECONDS,
    retentionDays: env.CACHE_RETENTION_DAYS,
    memoryMaxBytes: env.CACHE_MEMORY_MAX_MB * 1_048_576,
    encryptionKeys: env.CACHE_ENCRYPTION_KEYS ?? (usesDemoEncryptionKey ? [{ ...demoEncryptionKey }] : []),
    usesDemoEncryptionKey,
    leaseMs: env.CACHE_LEASE_MS,
    waitMs: env.CACHE_WAIT_MS,
    bypassConcurrency: env.CACHE_BYPASS_CONCURRENCY,
  };
}

function salesforce(env: Environment, sandboxUrl: string): SalesforceConfig {
  const isSandbox = env.SF_LOGIN_URL === undefined;
  return {
    loginUrl: withoutTrailingSlash(env.SF_LOGIN_URL ?? sandboxUrl),
    jwtAudience: env.SF_JWT_AUDIENCE,
    isSandbox,
    clientId: env.SF_CLIENT_ID ?? 'sandbox-client',
    clientSecret: env.SF_CLIENT_SECRET ?? (isSandbox ? 'sandbox-secret' : undefined),
    username: env.SF_USERNAME,
    privateKey: env.SF_PRIVATE_KEY,
    apiVersion: env.SF_API_VERSION,
    requestTimeoutMs: env.SF_REQUEST_TIMEOUT_MS,
    concurrency: env.SF_CONCURRENCY,
    queueMax: env.SF_QUEUE_MAX,
    eventTransport: env.SF_EVENTS_TRANSPORT,
    streamWatchdogSeconds: env.SF_STREAM_WATCHDOG_SECONDS,
    reconcileSeconds: env.SF_RECONCILE_SECONDS,
    pubsubEndpoint: env.SF_PUBSUB_ENDPOINT ?? (isSandbox ? sandboxPubSubEndpoint(env, sandboxUrl) : undefined),
  };
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part as object);
  }
  return Object.freeze(value);
}
