import type { OwnVariables } from '@bff/infra/config/unknown-variables';
import { variableNames } from './environment.schema.js';

/**
 * Prefixes of our variables: an unknown variable with one of them counts as a typing error, unless it is another
 * program's.
 */
const ownPrefixes = [
  'SF_',
  'CACHE_',
  'REDIS_',
  'WHMCS_',
  'AUTH_',
  'SANDBOX_',
  'HTTP_BODY_',
  'SHUTDOWN_',
  'WORKER_',
  'SSE_',
  'LIMIT_',
  'PSEUDONYM_',
  'OPERATOR_',
  'ALLOW_DEMO',
  'ALLOW_LOOPBACK',
  'ORDER_',
];

/**
 * Variables of the Salesforce command line tool, which uses the prefix SF_ too (Salesforce CLI Setup Guide, environment
 * variables).
 */
const salesforceCli =
  /^SF_(ACCESS_TOKEN|ALT_|AUDIENCE_URL|AUTOUPDATE_|CAPITALIZE_|CODE_COVERAGE_|CONTENT_TYPE|CRYPTO_|DATA_DIR|DISABLE_|DNS_|DOMAIN_RETRY|ENV|HIDE_|IMPROVED_|JSON_|LAZY_LOAD_|LOG_|MDAPI_|NPM_|NO_|ORG_|PRECOMPILE_|PROJECT_|S3_|SKIP_|SOURCE_|TARGET_|TELEMETRY_|UPDATE_|USE_|WEB_)/;

const redisAddress = 'REDIS_URL, such as redis://user:password@host:6379/0';

/** What other products, libraries and charts call our variables. */
const elsewhere: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['HOST', 'HOSTNAME', 'ADDR', 'ADDRESS', 'URI', 'DSN', 'ENDPOINT', 'SERVER', 'DB', 'DATABASE'].map((name) => [
      `REDIS_${name}`,
      redisAddress,
    ]),
  ),
  REDIS_USER: 'REDIS_USERNAME, or a user in REDIS_URL',
  REDIS_PASS: 'REDIS_PASSWORD, or a password in REDIS_URL',
  REDIS_AUTH: 'REDIS_PASSWORD, or a password in REDIS_URL',
  REDIS_SSL: 'REDIS_TLS, or rediss:// in REDIS_URL',
  REDIS_USE_TLS: 'REDIS_TLS, or rediss:// in REDIS_URL',
  REDIS_TLS_ENABLED: 'REDIS_TLS, or rediss:// in REDIS_URL',
  REDIS_SENTINEL_HOSTS: 'REDIS_SENTINELS',
  REDIS_SENTINEL_MASTER: 'REDIS_SENTINEL_NAME',
  REDIS_MASTER_NAME: 'REDIS_SENTINEL_NAME',
  REDIS_NODES: 'REDIS_CLUSTER_NODES',
  REDIS_CLUSTER: 'REDIS_CLUSTER_NODES',
  SF_URL: 'SF_LOGIN_URL',
  SF_INSTANCE_URL: 'SF_LOGIN_URL',
  SF_CONSUMER_KEY: 'SF_CLIENT_ID',
  SF_CONSUMER_SECRET: 'SF_CLIENT_SECRET',
  SF_VERSION: 'SF_API_VERSION',
  WHMCS_URL: 'WHMCS_API_URL',
  WHMCS_IDENTIFIER: 'WHMCS_API_IDENTIFIER',
  WHMCS_SECRET: 'WHMCS_API_SECRET',
  AUTH_JWKS_URI: 'AUTH_JWKS_URL',
  AUTH_ISSUER_URL: 'AUTH_ISSUER',
  CACHE_ENCRYPTION_KEY: 'CACHE_ENCRYPTION_KEYS',
};

/** What tells a mistyped variable of this product from one of another program. */
export const ownVariables: OwnVariables = {
  known: variableNames,
  prefixes: ownPrefixes,
  foreign: salesforceCli,
  elsewhere,
};
