import type { ConfigProblem } from './config.errors.js';
import type { Environment, VariableName } from './environment.schema.js';

/** What the rules look at: the values that passed their own check, and which variables were given at all, good or bad. */
export interface CheckedEnvironment {
  readonly values: Partial<Environment>;
  readonly isGiven: (name: VariableName) => boolean;
}

/** Every problem that only shows when several variables are seen together. */
export function problemsBetween(environment: CheckedEnvironment): ConfigProblem[] {
  return [
    ...redisProblems(environment),
    ...insecureUrlProblems(environment),
    ...salesforceProblems(environment),
    ...realOrgProblems(environment),
  ];
}

/** Whether a URL names this machine. Plain http is only accepted there. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether real data is served: a Salesforce that is neither the sandbox nor anything else on this machine. */
export function isRealOrg({ values, isGiven }: CheckedEnvironment): boolean {
  return isGiven('SF_LOGIN_URL') && !(values.SF_LOGIN_URL && isLoopback(values.SF_LOGIN_URL));
}

/** Whether entries are kept in Redis, and not in the embedded store. */
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

function insecureUrlProblems({ values }: CheckedEnvironment): ConfigProblem[] {
  return (['SF_LOGIN_URL', 'WHMCS_API_URL', 'AUTH_ISSUER', 'AUTH_JWKS_URL'] as const).flatMap((name) => {
    const url = values[name];
    if (!url || url.startsWith('https:') || isLoopback(url)) return [];
    return [
      {
        name,
        given: JSON.stringify(url),
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

/** Nothing made for the sandbox may stand between a real org and its customers: neither its issuer nor its demo key. */
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

function missing(name: VariableName, expected: string): ConfigProblem {
  return { name, given: undefined, expected };
}
