import type { CheckedVariables } from '@bff/infra/config/checked-variables';
import { missing, type ConfigProblem } from '@bff/infra/config/config.errors';
import { insecureUrlProblems, isLoopback } from '@bff/infra/config/insecure-url';
import { redisProblems } from '@bff/infra/redis/redis-variables';
import { pubSubEndpointProblems, salesforceProblems } from '@bff/integrations/salesforce/salesforce-variables';
import { demoProblems } from './demo-settings.js';
import type { Environment, VariableName } from './environment.schema.js';

/** All variables of the product, each checked by itself: the input of rules that look at several of them together. */
export type CheckedEnvironment = CheckedVariables<Environment>;

/** Every problem that only shows when several variables are seen together. */
export function problemsBetween(environment: CheckedEnvironment): ConfigProblem[] {
  return [
    ...redisProblems(environment),
    ...insecureUrlProblems(environment.values, ['SF_LOGIN_URL', 'WHMCS_API_URL', 'AUTH_ISSUER', 'AUTH_JWKS_URL']),
    ...salesforceProblems(environment),
    ...realDataProblems(environment),
    ...pubSubEndpointProblems(environment),
    ...sandboxProblems(environment),
    ...(isDemoRefused(environment) ? demoProblems(environment, sandboxUrlIn(environment)) : []),
  ];
}

/**
 * The sandbox's URL, as the sandbox computes it: it is the issuer in its tokens. Listening everywhere includes this
 * machine.
 */
export function sandboxUrlOf(env: Pick<Environment, 'SANDBOX_HOST' | 'SANDBOX_PORT' | 'SANDBOX_PUBLIC_URL'>): string {
  const listensEverywhere = env.SANDBOX_HOST === '0.0.0.0' || env.SANDBOX_HOST === '::';
  const host = listensEverywhere ? '127.0.0.1' : env.SANDBOX_HOST;
  return env.SANDBOX_PUBLIC_URL ?? `http://${host}:${env.SANDBOX_PORT}`;
}

/** Where the sandbox serves the Pub/Sub API; without TLS, because its certificate is self-signed. */
export function sandboxPubSubEndpoint(
  { SANDBOX_GRPC_PORT }: Pick<Environment, 'SANDBOX_GRPC_PORT'>,
  sandboxUrl: string,
) {
  return `http://${new URL(sandboxUrl).hostname}:${SANDBOX_GRPC_PORT}`;
}

/** Whether real data is served: a Salesforce that is neither the sandbox nor anything else on this machine. */
export function isRealOrg({ values, isGiven }: CheckedEnvironment): boolean {
  return isGiven('SF_LOGIN_URL') && !(values.SF_LOGIN_URL && isLoopback(values.SF_LOGIN_URL));
}

/** Whether the settings of the demo are refused: in production, unless a demo without a real org is allowed there. */
function isDemoRefused(environment: CheckedEnvironment): boolean {
  const { NODE_ENV, ALLOW_DEMO } = environment.values;
  return NODE_ENV === 'production' && (ALLOW_DEMO !== true || isRealOrg(environment));
}

/** Whether entries are kept in Redis, not in the embedded store. */
export function isRedisGiven({ isGiven }: CheckedEnvironment): boolean {
  return isGiven('REDIS_URL') || isGiven('REDIS_SENTINELS') || isGiven('REDIS_CLUSTER_NODES');
}

const neededWithRealData = {
  WHMCS_API_URL: 'the URL of includes/api.php',
  WHMCS_API_IDENTIFIER: 'the identifier of the API credential',
  WHMCS_API_SECRET: 'the secret of the API credential',
  AUTH_ISSUER: "the issuer of the customers' tokens",
  AUTH_AUDIENCE: "the audience of the customers' tokens",
  AUTH_JWKS_URL: "the URL of the issuer's keys",
  PSEUDONYM_KEY:
    'a key that hides users and accounts, and by which a repeated order is recognised after a restart, from openssl rand -base64 32',
} as const satisfies Partial<Record<VariableName, string>>;

/**
 * With a real org, and where the demo is refused, no value made for the sandbox is used: the variables of WHMCS and the
 * issuer must be set and `PSEUDONYM_KEY` and, with Redis, `CACHE_ENCRYPTION_KEYS`.
 */
function realDataProblems(environment: CheckedEnvironment): ConfigProblem[] {
  if (!isRealOrg(environment) && !isDemoRefused(environment)) return [];
  const because = isRealOrg(environment) ? 'SF_LOGIN_URL names a real org' : 'NODE_ENV is production';
  const needed: Partial<Record<VariableName, string>> = { ...neededWithRealData };
  if (isRedisGiven(environment)) {
    needed.CACHE_ENCRYPTION_KEYS = 'a key for sensitive entries in Redis, such as 2026a:<openssl rand -base64 32>';
  }
  return Object.entries(needed)
    .filter(([name]) => !environment.isGiven(name as VariableName))
    .map(([name, what]) => missing(name as VariableName, `${what}, because ${because}`));
}

/** The sandbox's URL; undefined if the variables that it is made of did not pass their own checks. */
function sandboxUrlIn({ values }: CheckedEnvironment): string | undefined {
  const { SANDBOX_HOST, SANDBOX_PORT, SANDBOX_PUBLIC_URL } = values;
  if (SANDBOX_HOST === undefined || SANDBOX_PORT === undefined) return undefined;
  return sandboxUrlOf({ SANDBOX_HOST, SANDBOX_PORT, SANDBOX_PUBLIC_URL });
}

/** The sandbox shows no certificate that could be checked, so its Pub/Sub API is used on this machine only. */
function sandboxProblems({ values, isGiven }: CheckedEnvironment): ConfigProblem[] {
  const { SF_EVENTS_TRANSPORT, SF_EVENTS_ENABLED } = values;
  const url = sandboxUrlIn({ values, isGiven });
  if (isGiven('SF_LOGIN_URL') || isGiven('SF_PUBSUB_ENDPOINT') || SF_EVENTS_ENABLED === false) return [];
  if (SF_EVENTS_TRANSPORT !== 'pubsub' || url === undefined || isLoopback(url)) return [];
  const expected = `cometd, because the sandbox is on another machine (${new URL(url).hostname}) and its Pub/Sub API has no TLS that can be checked`;
  return [{ name: 'SF_EVENTS_TRANSPORT', given: JSON.stringify(SF_EVENTS_TRANSPORT), expected }];
}
