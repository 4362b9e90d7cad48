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
];

/**
 * Variables of the Salesforce command line tool, which uses the prefix SF_ too (Salesforce CLI Setup Guide, environment
 * variables).
 */
const salesforceCli =
  /^SF_(ACCESS_TOKEN|ALT_|AUDIENCE_URL|AUTOUPDATE_|CAPITALIZE_|CODE_COVERAGE_|CONTENT_TYPE|CRYPTO_|DATA_DIR|DISABLE_|DNS_|DOMAIN_RETRY|ENV|HIDE_|IMPROVED_|JSON_|LAZY_LOAD_|LOG_|MDAPI_|NPM_|NO_|ORG_|PRECOMPILE_|PROJECT_|S3_|SKIP_|SOURCE_|TARGET_|TELEMETRY_|UPDATE_|USE_|WEB_)/;

/** What tells a mistyped variable of this product from one of another program. */
export const ownVariables: OwnVariables = { known: variableNames, prefixes: ownPrefixes, foreign: salesforceCli };
