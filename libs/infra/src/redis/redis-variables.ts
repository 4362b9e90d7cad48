import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { CheckedVariables } from '../config/checked-variables.js';
import { missing, type ConfigProblem } from '../config/config.errors.js';
import { defaulted, optional, type ValuesOf } from '../config/documented-variable.js';
import { isLoopback } from '../config/insecure-url.js';
import { masked } from '../config/mask.js';
import { boolean, listOf, oneLine, oneOf, wholeNumber, type ValueKind } from '../config/value-kinds.js';
import { redisUrl, type HostAndPort } from './connecting/redis-address.js';

/** At most one of `url`, `sentinels` and `clusterNodes` is set; none means the embedded store. */
export interface RedisConfig {
  readonly url: string | undefined;
  readonly sentinels: readonly HostAndPort[] | undefined;
  readonly sentinelName: string | undefined;
  readonly clusterNodes: readonly HostAndPort[] | undefined;
  /** For Sentinel and Cluster; a URL carries its own. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  /** PEM texts, for every connection that uses TLS. */
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** For the connections to the Sentinels themselves. */
  readonly sentinelTls: boolean;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const addresses: ValueKind<readonly HostAndPort[]> = {
  expected: 'one or more addresses such as 10.0.0.1:26379,10.0.0.2:26379',
  parse: (given) => listOf(given, parseAddress),
};

function parseAddress(given: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(given.trim());
  const host = match?.[1] ?? match?.[2];
  const portNumber = Number(match?.[3]);
  return host && portNumber >= 1 && portNumber <= 65_535 ? { host, port: portNumber } : undefined;
}

/** One or more TLS certificates: PEM text, or the path of a file that holds it; the value is PEM text. */
const certificates: ValueKind<string> = pem(
  'the path of a file with certificates in PEM form, or that text itself',
  (text) => createSecureContext({ ca: text, cert: text }),
);

/** A TLS private key, given and returned like `certificates`. */
const tlsKey: ValueKind<string> = pem(
  'the path of a file with a private key in PEM form and without a passphrase, or that text itself',
  (text) => createPrivateKey(text),
);

function pem(expected: string, check: (text: string) => unknown): ValueKind<string> {
  const parse = (given: string) => {
    try {
      const text = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : readFileSync(given, 'utf8');
      check(text);
      return text;
    } catch {
      return undefined; // no such file, or wrong content: the caller reports it in the words of `expected`
    }
  };
  return { expected, parse };
}

/** The variables for the connections to Redis. */
export const redisVariables = {
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
    description:
      'Whether Sentinel or Cluster connections use TLS; for REDIS_URL, rediss:// says so, and true beside it changes nothing.',
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
  REDIS_ALLOW_PLAIN: defaulted(boolean, 'false', {
    group: 'redis',
    description: 'In production, allows a Redis on another machine without TLS, because nobody can listen on the way.',
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

type RedisValues = ValuesOf<typeof redisVariables>;
type Checked = CheckedVariables<RedisValues>;

/** The values as the connection takes them. */
export function redisConfig(env: RedisValues): RedisConfig {
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

/** Every problem that only shows when several of these variables are seen together. */
export function redisProblems(checked: Checked): ConfigProblem[] {
  return [...wayProblems(checked), ...tlsProblems(checked)];
}

/** A problem where passwords and entries travel to another machine without TLS; none if that is allowed. */
export function plainRedisProblems({ values }: Checked): ConfigProblem[] {
  const { REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER_NODES, REDIS_TLS, REDIS_ALLOW_PLAIN } = values;
  if (REDIS_ALLOW_PLAIN === true) return [];
  if (REDIS_URL?.startsWith('redis://') === true && !isLoopback(REDIS_URL)) {
    return [{ name: 'REDIS_URL', given: masked(REDIS_URL), expected: 'rediss://, or a Redis on this machine' }];
  }
  const others = [...(REDIS_SENTINELS ?? []), ...(REDIS_CLUSTER_NODES ?? [])].filter(
    ({ host }) => !isLoopback(`redis://${host.includes(':') ? `[${host}]` : host}`),
  );
  if (others.length === 0 || REDIS_TLS !== false) return [];
  return [{ name: 'REDIS_TLS', given: '"false"', expected: 'true, or a Redis on this machine' }];
}

function wayProblems({ isGiven }: Checked): ConfigProblem[] {
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

/**
 * Reports settings for encryption or identity that would have no effect or contradict each other, and a key that does
 * not fit.
 */
function tlsProblems({ values, isGiven }: Checked): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const isPlainUrl = values.REDIS_URL?.startsWith('redis://') === true;
  if (isPlainUrl && values.REDIS_TLS === true) {
    problems.push({ name: 'REDIS_TLS', given: '"true"', expected: 'REDIS_URL to begin with rediss://, which says so' });
  }
  if (values.REDIS_URL?.startsWith('rediss://') === true && isGiven('REDIS_TLS') && values.REDIS_TLS === false) {
    const expected = 'true or nothing, because rediss:// in REDIS_URL says that TLS is used; redis:// uses none';
    problems.push({ name: 'REDIS_TLS', given: '"false"', expected });
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
    return false; // OpenSSL says "key values mismatch"
  }
}
