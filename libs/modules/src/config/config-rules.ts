import { createSecureContext } from 'node:tls';
import type { ConfigProblem } from './config.errors.js';
import type { Environment, VariableName } from './environment.schema.js';
import { masked } from './mask.js';

/**
 * The input of the rules: the values that passed their own check, and which variables were given at all, valid or not.
 */
export interface CheckedEnvironment {
  readonly values: Partial<Environment>;
  readonly isGiven: (name: VariableName) => boolean;
}

/** Every problem that only shows when several variables are seen together. */
export function problemsBetween(environment: CheckedEnvironment): ConfigProblem[] {
  return [
    ...redisProblems(environment),
    ...redisTlsProblems(environment),
    ...insecureUrlProblems(environment),
    ...salesforceProblems(environment),
    ...realOrgProblems(environment),
    ...pubSubProblems(environment),
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

/** Whether a URL names this machine. Plain http is accepted only there. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether real data is served: a Salesforce that is neither the sandbox nor anything else on this machine. */
export function isRealOrg({ values, isGiven }: CheckedEnvironment): boolean {
  return isGiven('SF_LOGIN_URL') && !(values.SF_LOGIN_URL && isLoopback(values.SF_LOGIN_URL));
}

/** Whether entries are kept in Redis, not in the embedded store. */
export function isRedisGiven({ isGiven }: CheckedEnvironment): boolean {
  return isGiven('REDIS_URL') || isGiven('REDIS_SENTINELS') || isGiven('REDIS_CLUSTER_NODES');
}

function redisProblems({ isGiven }: CheckedEnvironment): ConfigProblem[] {
  const ways = (['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'] as const).filter(isGiven);
  const problems: ConfigProblem[] = ways.slice(1).map((name) => ({
    name,
    given: 'set',
    expected: `only one way to reach Redis, and ${ways[0]} is set too; remove one`,
  }));
  if (isGiven('REDIS_SENTINELS') && !isGiven('REDIS_SENTINEL_NAME')) {
    problems.push(missing('REDIS_SENTINEL_NAME', 'the name of the primary, because REDIS_SENTINELS is set'));
  }
  if (isGiven('REDIS_SENTINEL_NAME') && !isGiven('REDIS_SENTINELS')) {
    problems.push(missing('REDIS_SENTINELS', 'the addresses of the Sentinels, because REDIS_SENTINEL_NAME is set'));
  }
  for (const name of ['REDIS_USERNAME', 'REDIS_PASSWORD'] as const) {
    if (isGiven(name) && isGiven('REDIS_URL')) {
      problems.push({
        name,
        given: 'set',
        expected: 'the user and password inside REDIS_URL, because REDIS_URL is set',
      });
    }
  }
  return problems;
}

/** A setting for encryption or identity is reported, never silently ignored. */
function redisTlsProblems({ values, isGiven }: CheckedEnvironment): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const isPlainUrl = values.REDIS_URL?.startsWith('redis://') === true;
  if (isPlainUrl && values.REDIS_TLS === true) {
    problems.push({ name: 'REDIS_TLS', given: '"true"', expected: 'REDIS_URL to begin with rediss://, which says so' });
  }
  const usesTls =
    !isPlainUrl && (isGiven('REDIS_URL') || values.REDIS_TLS === true || values.REDIS_SENTINEL_TLS === true);
  for (const name of ['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY'] as const) {
    const expected = 'a connection that uses TLS: REDIS_TLS=true, or rediss:// in REDIS_URL';
    if (isGiven(name) && !usesTls) problems.push({ name, given: 'set', expected });
  }
  for (const name of ['REDIS_SENTINEL_TLS', 'REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'] as const) {
    if (isGiven(name) && !isGiven('REDIS_SENTINELS'))
      problems.push({ name, given: 'set', expected: 'REDIS_SENTINELS, too' });
  }
  if (isGiven('REDIS_TLS_CERT') !== isGiven('REDIS_TLS_KEY')) {
    const [given, absent] = isGiven('REDIS_TLS_CERT')
      ? (['REDIS_TLS_CERT', 'REDIS_TLS_KEY'] as const)
      : (['REDIS_TLS_KEY', 'REDIS_TLS_CERT'] as const);
    problems.push(missing(absent, `a value, because ${given} is set, and each needs the other`));
  }
  const { REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = values;
  if (cert !== undefined && key !== undefined && !isPair(cert, key)) {
    problems.push({
      name: 'REDIS_TLS_KEY',
      given: 'set',
      expected: 'the private key of REDIS_TLS_CERT, which is another',
    });
  }
  return problems;
}

function isPair(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false; // "key values mismatch"
  }
}

function insecureUrlProblems({ values }: CheckedEnvironment): ConfigProblem[] {
  return (['SF_LOGIN_URL', 'WHMCS_API_URL', 'AUTH_ISSUER', 'AUTH_JWKS_URL'] as const).flatMap((name) => {
    const url = values[name];
    if (!url || url.startsWith('https:') || isLoopback(url)) return [];
    return [
      {
        name,
        given: masked(name, url),
        expected: 'https://, because secrets travel to it (http only on this machine)',
      },
    ];
  });
}

function salesforceProblems({ isGiven }: CheckedEnvironment): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (isGiven('SF_USERNAME') !== isGiven('SF_PRIVATE_KEY')) {
    const [given, absent] = isGiven('SF_USERNAME')
      ? (['SF_USERNAME', 'SF_PRIVATE_KEY'] as const)
      : (['SF_PRIVATE_KEY', 'SF_USERNAME'] as const);
    problems.push(missing(absent, `a value, because ${given} is set and the JWT bearer grant needs both`));
  }
  if (!isGiven('SF_LOGIN_URL')) return problems;
  if (!isGiven('SF_CLIENT_ID')) {
    problems.push(missing('SF_CLIENT_ID', 'the consumer key of the connected app, because SF_LOGIN_URL is set'));
  }
  if (!isGiven('SF_CLIENT_SECRET') && !isGiven('SF_USERNAME') && !isGiven('SF_PRIVATE_KEY')) {
    problems.push(
      missing(
        'SF_CLIENT_SECRET',
        'the consumer secret (or SF_USERNAME and SF_PRIVATE_KEY), because SF_LOGIN_URL is set',
      ),
    );
  }
  return problems;
}

const neededWithRealOrg = {
  WHMCS_API_URL: 'the URL of includes/api.php',
  WHMCS_API_IDENTIFIER: 'the identifier of the API credential',
  WHMCS_API_SECRET: 'the secret of the API credential',
  AUTH_ISSUER: "the issuer of the customers' tokens",
  AUTH_AUDIENCE: "the audience of the customers' tokens",
  AUTH_JWKS_URL: "the URL of the issuer's keys",
} as const satisfies Partial<Record<VariableName, string>>;

/** With a real org, nothing made for the sandbox is accepted: neither its issuer nor its demo key. */
function realOrgProblems(environment: CheckedEnvironment): ConfigProblem[] {
  if (!isRealOrg(environment)) return [];
  const needed: Partial<Record<VariableName, string>> = { ...neededWithRealOrg };
  if (isRedisGiven(environment)) {
    needed.CACHE_ENCRYPTION_KEYS = 'a key for sensitive entries in Redis, such as 2026a:<openssl rand -base64 32>';
  }
  return Object.entries(needed)
    .filter(([name]) => !environment.isGiven(name as VariableName))
    .map(([name, what]) => missing(name as VariableName, `${what}, because SF_LOGIN_URL names a real org`));
}

/** The access token travels to the Pub/Sub API, so a connection without TLS is accepted on this machine only. */
function pubSubProblems({ values, isGiven }: CheckedEnvironment): ConfigProblem[] {
  const endpoint = values.SF_PUBSUB_ENDPOINT;
  if (endpoint?.startsWith('http://') === true && !isLoopback(endpoint)) {
    const expected = `${endpoint.slice('http://'.length)}, over TLS, because the access token travels to it (http only on this machine)`;
    return [{ name: 'SF_PUBSUB_ENDPOINT', given: masked('SF_PUBSUB_ENDPOINT', endpoint), expected }];
  }
  const { SANDBOX_HOST, SANDBOX_PORT, SF_EVENTS_TRANSPORT, SF_EVENTS_ENABLED } = values;
  if (isGiven('SF_LOGIN_URL') || isGiven('SF_PUBSUB_ENDPOINT') || SF_EVENTS_ENABLED === false) return [];
  if (SF_EVENTS_TRANSPORT !== 'pubsub' || SANDBOX_HOST === undefined || SANDBOX_PORT === undefined) return [];
  const { SANDBOX_PUBLIC_URL } = values;
  const url = sandboxUrlOf({ SANDBOX_HOST, SANDBOX_PORT, SANDBOX_PUBLIC_URL });
  if (isLoopback(url)) return [];
  const expected = `cometd, because the sandbox is on another machine (${new URL(url).hostname}) and its Pub/Sub API has no TLS that can be checked`;
  return [{ name: 'SF_EVENTS_TRANSPORT', given: JSON.stringify(SF_EVENTS_TRANSPORT), expected }];
}

function missing(name: VariableName, expected: string): ConfigProblem {
  return { name, given: undefined, expected };
}
