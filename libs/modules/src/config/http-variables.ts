import { defaulted, optional } from '@bff/infra/config/documented-variable';
import {
  hostName,
  httpUrl,
  key32,
  listOf,
  oneLine,
  port,
  wholeNumber,
  type ValueKind,
} from '@bff/infra/config/value-kinds';
import { addressBlocks, operatorToken } from '@bff/infra/health/operators';

/** The variables of the HTTP servers: that of the BFF, and the health port of the worker. */
export const httpVariables = {
  HOST: defaulted(hostName, '127.0.0.1', {
    group: 'http',
    description: 'The address on which the BFF and the health port of the worker listen; 0.0.0.0 in a container.',
  }),
  PORT: defaulted(port, '3000', { group: 'http', description: 'The port of the BFF; 0 picks a free one.' }),
  HTTP_BODY_LIMIT_BYTES: defaulted(wholeNumber(1_024, 10_485_760), '65536', {
    group: 'http',
    description: 'A larger request body is answered with 413.',
  }),
  SHUTDOWN_DRAIN_MS: optional(wholeNumber(0, 300_000), {
    group: 'http',
    description: 'How long requests are still taken after SIGTERM, while ready says 503; 5000 in production, else 0.',
  }),
  SHUTDOWN_GRACE_MS: defaulted(wholeNumber(0, 300_000), '10000', {
    group: 'http',
    description: 'How long running requests may take to end after that before they are cut off.',
  }),
  WORKER_PORT: defaulted(port, '3100', {
    group: 'worker',
    description: 'The port on which the change-event worker answers health questions; 0 picks a free one.',
  }),
};

/** The variables that say who may see the details of health. */
export const operatorVariables = {
  OPERATOR_TOKEN: optional(operatorToken, {
    group: 'operator',
    description: 'Sent as a bearer token, it shows the details of health. Make one with: openssl rand -hex 32',
    secret: 'whole',
  }),
  OPERATOR_ADDRESSES: optional(addressBlocks, {
    group: 'operator',
    description: 'A connection from there needs no token for them; 127.0.0.0/8,::1 unless set, in production none.',
  }),
};

/** The variables of the event streams to browsers. */
export const streamVariables = {
  SSE_HEARTBEAT_MS: defaulted(wholeNumber(1_000, 60_000), '15000', {
    group: 'sse',
    description: 'How often an event stream that has nothing to tell shows that it is alive.',
  }),
  SSE_RETRY_MS: defaulted(wholeNumber(100, 60_000), '3000', {
    group: 'sse',
    description: 'How long browsers wait before they open a lost event stream again.',
  }),
  SSE_STREAMS_MAX: defaulted(wholeNumber(1, 100_000), '1000', {
    group: 'sse',
    description:
      'How many event streams one process holds open; one more replaces one of the account with the most, or is answered with 503.',
  }),
  SSE_STREAMS_PER_ACCOUNT_MAX: defaulted(wholeNumber(1, 10_000), '50', {
    group: 'sse',
    description: 'How many event streams one process holds open for one account; one more is answered with 429.',
  }),
  SSE_BUFFER_MAX_BYTES: defaulted(wholeNumber(1_024, 16_777_216), '65536', {
    group: 'sse',
    description: 'How much may wait to be read by one browser; one that is slower is dropped.',
  }),
};

type TokenType = 'at+jwt' | 'JWT';

const tokenTypes: ValueKind<readonly TokenType[]> = {
  expected: 'at+jwt or JWT, or both with a comma between them',
  parse: (given) => listOf(given, (part) => (part === 'at+jwt' || part === 'JWT' ? part : undefined)),
};

/** The variables that say whose tokens are accepted. */
export const authVariables = {
  AUTH_ISSUER: optional(httpUrl, {
    group: 'auth',
    description: "The issuer (iss) of the customers' tokens. Without it the local sandbox is the issuer.",
  }),
  AUTH_AUDIENCE: optional(oneLine, {
    group: 'auth',
    description: 'The audience (aud) that a token must name; evergreen-portal with the sandbox.',
  }),
  AUTH_JWKS_URL: optional(httpUrl, {
    group: 'auth',
    description: "Where the issuer publishes its keys; with the sandbox, the issuer's /.well-known/jwks.json.",
  }),
  AUTH_TOKEN_TYPES: defaulted(tokenTypes, 'at+jwt,JWT', {
    group: 'auth',
    description:
      'The types (typ) of tokens that are accepted. Set at+jwt alone if the issuer follows RFC 9068; JWT also covers tokens without a type.',
  }),
  AUTH_TOKEN_LIFETIME_MAX_SECONDS: defaulted(wholeNumber(60, 31_536_000), '86400', {
    group: 'auth',
    description: 'A token that ends later than this from now is refused.',
  }),
  PSEUDONYM_KEY: optional(key32, {
    group: 'auth',
    description:
      'Hides users and accounts in logs and key names, and places in event ids. The same in all processes. Make one with: openssl rand -base64 32',
    secret: 'whole',
  }),
  AUTH_JWKS_GRACE_SECONDS: defaulted(wholeNumber(0, 604_800), '86400', {
    group: 'auth',
    description:
      'How long the last good keys are used while the issuer does not answer, beyond the ten minutes after which they are fetched anew.',
  }),
};
