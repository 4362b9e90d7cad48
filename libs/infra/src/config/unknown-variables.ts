import type { ConfigProblem } from './config.errors.js';
import { variableNames } from './environment.schema.js';

/** Prefixes of our variables: an unknown variable with one of them is a typing error. */
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
];

/** Variables that Kubernetes and Docker links set for a service whose name equals one of our prefixes. */
const serviceLink = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?|NAME|ENV_\w+)$/;

/**
 * Variables of the Salesforce command line tool, which uses the prefix SF_ too (Salesforce CLI Setup Guide, environment
 * variables).
 */
const salesforceCli =
  /^SF_(ACCESS_TOKEN|ALT_|AUDIENCE_URL|AUTOUPDATE_|CAPITALIZE_|CODE_COVERAGE_|CONTENT_TYPE|CRYPTO_|DATA_DIR|DISABLE_|DNS_|DOMAIN_RETRY|ENV|HIDE_|IMPROVED_|JSON_|LAZY_LOAD_|LOG_|MDAPI_|NPM_|NO_|ORG_|PRECOMPILE_|PROJECT_|S3_|SKIP_|SOURCE_|TARGET_|TELEMETRY_|UPDATE_|USE_|WEB_)/;

/** Variables that have one of our prefixes and are unknown, each with the nearest known one. */
export function unknownVariableProblems(names: Iterable<string>): ConfigProblem[] {
  const known = new Set<string>(variableNames);
  const problems: ConfigProblem[] = [];
  for (const name of names) {
    if (known.has(name) || !ownPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    const nearest = nearestVariable(name);
    if (nearest.distance > 2 && (serviceLink.test(name) || salesforceCli.test(name))) continue;
    const hint = nearest.distance <= 4 ? `did you mean ${nearest.name}?` : 'see .env.example';
    problems.push({ name, given: 'set', expected: `no variable of this name; ${hint}` });
  }
  return problems;
}

function nearestVariable(name: string): { name: string; distance: number } {
  return variableNames
    .map((candidate) => ({ name: candidate, distance: editDistance(name, candidate) }))
    .reduce((best, other) => (other.distance < best.distance ? other : best));
}

/** Levenshtein distance: the number of characters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? from.length;
}
