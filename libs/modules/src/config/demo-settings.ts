import type { CheckedVariables } from '@bff/infra/config/checked-variables';
import { missing, type ConfigProblem } from '@bff/infra/config/config.errors';
import { isLoopback } from '@bff/infra/config/insecure-url';
import { masked } from '@bff/infra/config/mask';
import { plainRedisProblems } from '@bff/infra/redis/redis-variables';
import type { EncryptionKeyText } from './cache-variables.js';
import { LOOPBACK_EXCEPTABLE } from './loopback-exceptions.js';
import { documentationOf, type Environment, type VariableName } from './environment.schema.js';

type CheckedEnvironment = CheckedVariables<Environment>;

/**
 * The key for pseudonyms and, with Redis, for sensitive entries, where made-up data is served and no key is set. It is
 * published, so it protects nothing; `npm start`, `start:bff` and `start:worker` bring keys of the checkout instead. A
 * real org, and production that does not allow the demo, are refused without keys of their own.
 */
export const demoEncryptionKey: EncryptionKeyText = {
  id: 'demo',
  base64: Buffer.from('evergreen-demo-key-of-32-bytes!!').toString('base64'),
};

/** What the local sandbox takes from the BFF and the worker. It is published, too. */
export const demoCredentials = {
  SF_CLIENT_ID: 'sandbox-client',
  SF_CLIENT_SECRET: 'sandbox-secret',
  WHMCS_API_IDENTIFIER: 'sandbox-identifier',
  WHMCS_API_SECRET: 'sandbox-secret',
} as const satisfies Partial<Record<VariableName, string>>;

/**
 * A secret with fewer different characters is a placeholder: 64 random hexadecimal digits nearly always have fourteen
 * or more.
 */
const DIFFERENT_CHARACTERS_MIN = 6;

/** Why a setting of the demo is refused, and what allows it. */
const BECAUSE = 'because NODE_ENV is production (ALLOW_DEMO=true allows the demo)';

/**
 * Every setting that belongs to the demo: the local sandbox, what is published with this product, a secret that anybody
 * can guess, and entries that travel to another machine without TLS. For production; `sandboxUrl` is undefined where
 * the sandbox's own variables are wrong.
 */
export function demoProblems(environment: CheckedEnvironment, sandboxUrl: string | undefined): ConfigProblem[] {
  return [
    ...orgProblems(environment),
    ...sandboxUrlProblems(environment, sandboxUrl),
    ...publishedProblems(environment),
    ...guessableProblems(environment),
    ...plainRedisProblems(environment).map((problem) => ({
      ...problem,
      expected: `${problem.expected}, ${BECAUSE.replace(')', ', REDIS_ALLOW_PLAIN=true a network that you trust)')}`,
    })),
  ];
}

/** The variables of a real org: without them the sandbox is used. */
function orgProblems({ values, isGiven }: CheckedEnvironment): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!isGiven('SF_LOGIN_URL')) {
    problems.push(
      missing('SF_LOGIN_URL', `the My Domain URL of the org, not the local sandbox, ${BECAUSE}`),
      ...(isGiven('SF_CLIENT_ID') ? [] : [missing('SF_CLIENT_ID', 'the consumer key of the connected app')]),
      ...(isGiven('SF_CLIENT_SECRET') || isGiven('SF_PRIVATE_KEY')
        ? []
        : [missing('SF_CLIENT_SECRET', 'the consumer secret (or SF_USERNAME and SF_PRIVATE_KEY)')]),
    );
  } else if (values.SF_LOGIN_URL && isLoopback(values.SF_LOGIN_URL)) {
    const expected = `the My Domain URL of the org, not an address of this machine, ${BECAUSE}`;
    problems.push({ name: 'SF_LOGIN_URL', given: masked(values.SF_LOGIN_URL), expected });
  }
  return problems;
}

/**
 * An address of this machine in the place of WHMCS or of the issuer: a sandbox at any port, which gives a token to
 * anybody. `ALLOW_LOOPBACK` excepts variables whose service really runs here, but never the sandbox that our own
 * variables name.
 */
function sandboxUrlProblems({ values }: CheckedEnvironment, sandboxUrl: string | undefined): ConfigProblem[] {
  return LOOPBACK_EXCEPTABLE.flatMap((name) => {
    const url = values[name];
    if (url === undefined) return [];
    const given = masked(url);
    if (sandboxUrl !== undefined && originOf(url) === originOf(sandboxUrl))
      return [{ name, given, expected: `another address than that of the local sandbox, ${BECAUSE}` }];
    if (!isLoopback(url) || values.ALLOW_LOOPBACK?.includes(name)) return [];
    const exception = `ALLOW_LOOPBACK=${name} a service of yours on it`;
    const because = BECAUSE.replace(')', `, ${exception})`);
    return [{ name, given, expected: `not an address of this machine, ${because}` }];
  });
}

/** Keys and credentials that everybody knows, because they are part of this product. */
function publishedProblems({ values }: CheckedEnvironment): ConfigProblem[] {
  const keys = values.CACHE_ENCRYPTION_KEYS ?? [];
  const published: VariableName[] = [
    ...(keys.some(({ base64 }) => base64 === demoEncryptionKey.base64) ? (['CACHE_ENCRYPTION_KEYS'] as const) : []),
    ...(values.PSEUDONYM_KEY === demoEncryptionKey.base64 ? (['PSEUDONYM_KEY'] as const) : []),
    ...(Object.keys(demoCredentials) as (keyof typeof demoCredentials)[]).filter(
      (name) => values[name] === demoCredentials[name],
    ),
  ];
  return published.map((name) => refused(name, `a value of your own: this one is published with the product`));
}

/** Keys of one repeated byte, and secrets of a few repeated characters. */
function guessableProblems({ values }: CheckedEnvironment): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const keys = (values.CACHE_ENCRYPTION_KEYS ?? []).map(({ base64 }) => base64);
  const random = '32 random bytes (openssl rand -base64 32), not one byte again and again';
  if (keys.some(isConstant)) problems.push(refused('CACHE_ENCRYPTION_KEYS', random));
  if (values.PSEUDONYM_KEY !== undefined && isConstant(values.PSEUDONYM_KEY))
    problems.push(refused('PSEUDONYM_KEY', random));
  for (const name of ['WHMCS_WEBHOOK_SECRET', 'OPERATOR_TOKEN'] as const) {
    const secret = values[name];
    if (secret !== undefined && new Set(secret).size < DIFFERENT_CHARACTERS_MIN)
      problems.push(refused(name, 'a random secret (openssl rand -hex 32), not a few characters again and again'));
  }
  return problems;
}

function refused(name: VariableName, expected: string): ConfigProblem {
  const { secret } = documentationOf(name);
  return { name, given: secret === 'whole' ? '(hidden)' : 'set', expected: `${expected}, ${BECAUSE}` };
}

function isConstant(base64: string): boolean {
  return new Set(Buffer.from(base64, 'base64')).size === 1;
}

/** The origin of a URL; all names of this machine are one. */
function originOf(url: string): string {
  const { protocol, host, port } = new URL(url);
  return isLoopback(url) ? `${protocol}//this-machine:${port}` : `${protocol}//${host}`;
}
