import { ConfigError } from '@bff/infra/config/config.errors';
import { deepFreeze, processEnvironment, readVariables, type RawEnvironment } from '@bff/infra/config/read-environment';
import { unknownVariableProblems } from '@bff/infra/config/unknown-variables';
import { limitsConfig } from '@bff/infra/limits/limits-variables';
import { redisConfig } from '@bff/infra/redis/redis-variables';
import type { AppConfig, CacheConfig, SalesforceConfig } from './app-config.js';
import {
  isRealOrg,
  isRedisGiven,
  problemsBetween,
  sandboxPubSubEndpoint,
  sandboxUrlOf,
  type CheckedEnvironment,
} from './config-rules.js';
import { secretTexts } from '@bff/infra/config/secret-texts';
import { demoCredentials, demoEncryptionKey } from './demo-settings.js';
import { environmentSchema, type Environment } from './environment.schema.js';
import { ownVariables } from './own-variables.js';

/**
 * Operators by address, unless others are named. In production none: a proxy on the same machine makes every caller's
 * connection come from here.
 */
const THIS_MACHINE = ['127.0.0.0/8', '::1'] as const;

/** Longer than the 3 s in which a probe every second, with two failures, takes a process out of its balancer. */
const PRODUCTION_DRAIN_MS = 5_000;

/**
 * The checked configuration, deeply frozen. An empty variable counts as not set. Throws a {@link ConfigError} that
 * lists every problem at once; no part of a bad configuration is ever used.
 *
 * @default the environment of the process, over the `.env` file of the working directory if there is one
 */
export function loadConfig(env: RawEnvironment = processEnvironment()): AppConfig {
  const { values, given, problems } = readVariables(environmentSchema.shape, env);
  const environment: CheckedEnvironment = { values, isGiven: (name) => given.has(name) };
  const all = [...problems, ...problemsBetween(environment), ...unknownVariableProblems(given, ownVariables)];
  if (all.length > 0) throw new ConfigError(all);
  const secrets = secretTexts(environmentSchema.shape, env, values);
  return deepFreeze({ ...group(values as Environment, environment), secrets });
}

function group(env: Environment, environment: CheckedEnvironment): Omit<AppConfig, 'secrets'> {
  const sandboxUrl = sandboxUrlOf(env);
  const issuer = env.AUTH_ISSUER ?? sandboxUrl;
  return {
    app: {
      name: env.APP_NAME,
      environment: env.NODE_ENV,
      allowsDemo: env.ALLOW_DEMO,
      logLevel: env.LOG_LEVEL,
    },
    http: {
      host: env.HOST,
      port: env.PORT,
      bodyLimitBytes: env.HTTP_BODY_LIMIT_BYTES,
      shutdownDrainMs: env.SHUTDOWN_DRAIN_MS ?? (env.NODE_ENV === 'production' ? PRODUCTION_DRAIN_MS : 0),
      shutdownGraceMs: env.SHUTDOWN_GRACE_MS,
    },
    sse: {
      heartbeatMs: env.SSE_HEARTBEAT_MS,
      retryMs: env.SSE_RETRY_MS,
      streamsMax: env.SSE_STREAMS_MAX,
      streamsPerAccountMax: env.SSE_STREAMS_PER_ACCOUNT_MAX,
      bufferMaxBytes: env.SSE_BUFFER_MAX_BYTES,
    },
    limits: limitsConfig(env),
    operator: {
      token: env.OPERATOR_TOKEN,
      addresses: env.OPERATOR_ADDRESSES ?? (env.NODE_ENV === 'production' ? [] : THIS_MACHINE),
    },
    worker: { port: env.WORKER_PORT },
    redis: redisConfig(env),
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
    orders: {
      totalMax: env.ORDER_TOTAL_MAX,
      requestIdField: env.SF_ORDER_REQUEST_ID_FIELD === 'none' ? undefined : env.SF_ORDER_REQUEST_ID_FIELD,
    },
    whmcs: {
      apiUrl: env.WHMCS_API_URL ?? `${sandboxUrl}/whmcs/includes/api.php`,
      identifier: env.WHMCS_API_IDENTIFIER ?? demoCredentials.WHMCS_API_IDENTIFIER,
      secret: env.WHMCS_API_SECRET ?? demoCredentials.WHMCS_API_SECRET,
      requestTimeoutMs: env.WHMCS_REQUEST_TIMEOUT_MS,
      concurrency: env.WHMCS_CONCURRENCY,
      queueMax: env.WHMCS_QUEUE_MAX,
      accountQueueMax: env.WHMCS_ACCOUNT_QUEUE_MAX,
      accountSharePercent: env.WHMCS_ACCOUNT_SHARE_PERCENT,
      webhook: { secret: env.WHMCS_WEBHOOK_SECRET, toleranceSeconds: env.WHMCS_WEBHOOK_TOLERANCE_SECONDS },
    },
    auth: {
      issuer,
      audience: env.AUTH_AUDIENCE ?? 'evergreen-portal',
      jwksUrl: env.AUTH_JWKS_URL ?? `${withoutTrailingSlash(issuer)}/.well-known/jwks.json`,
      accessTokens: { types: env.AUTH_TOKEN_TYPES, lifetimeMaxSeconds: env.AUTH_TOKEN_LIFETIME_MAX_SECONDS },
      jwksGraceSeconds: env.AUTH_JWKS_GRACE_SECONDS,
      pseudonymKey: env.PSEUDONYM_KEY ?? demoEncryptionKey.base64, // a real org needs one of its own
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
    clientId: env.SF_CLIENT_ID ?? demoCredentials.SF_CLIENT_ID,
    clientSecret: env.SF_CLIENT_SECRET ?? (isSandbox ? demoCredentials.SF_CLIENT_SECRET : undefined),
    username: env.SF_USERNAME,
    privateKey: env.SF_PRIVATE_KEY,
    apiVersion: env.SF_API_VERSION,
    requestTimeoutMs: env.SF_REQUEST_TIMEOUT_MS,
    concurrency: env.SF_CONCURRENCY,
    queueMax: env.SF_QUEUE_MAX,
    accountQueueMax: env.SF_ACCOUNT_QUEUE_MAX,
    accountSharePercent: env.SF_ACCOUNT_SHARE_PERCENT,
    quotaReservePercent: env.SF_QUOTA_RESERVE_PERCENT,
    eventTransport: env.SF_EVENTS_TRANSPORT,
    streamWatchdogSeconds: env.SF_STREAM_WATCHDOG_SECONDS,
    reconcileSeconds: env.SF_RECONCILE_SECONDS,
    pubsubEndpoint: env.SF_PUBSUB_ENDPOINT ?? (isSandbox ? sandboxPubSubEndpoint(env, sandboxUrl) : undefined),
  };
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
