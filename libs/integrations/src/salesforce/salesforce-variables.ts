import { createPrivateKey } from 'node:crypto';
import type { CheckedVariables } from '@bff/infra/config/checked-variables';
import { missing, type ConfigProblem } from '@bff/infra/config/config.errors';
import { defaulted, optional, type ValuesOf } from '@bff/infra/config/documented-variable';
import { isLoopback } from '@bff/infra/config/insecure-url';
import { masked } from '@bff/infra/config/mask';
import { boolean, httpUrl, oneLine, oneOf, text, wholeNumber, type ValueKind } from '@bff/infra/config/value-kinds';

const pubSubEndpoint = text(
  'host:port, or http://127.0.0.1:port for a server without TLS on this machine',
  /^(https?:\/\/)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/,
);
/** The topic of a stream of change events or platform events. */
export const channel = text('a channel such as /data/OrderChangeEvent', /^\/(data|event)\/[A-Za-z][A-Za-z0-9_]{0,79}$/);

/**
 * The API versions that work with every request of this release, as a test proves: 57.0 is the first with change events
 * of price book entries, 67.0 the newest that was tested. Salesforce keeps a version for at least three years.
 */
export const SF_API_VERSIONS = { oldest: '57.0', newest: '67.0' } as const;
const apiVersion = text(
  `a version from ${SF_API_VERSIONS.oldest} to ${SF_API_VERSIONS.newest}, such as 67.0`,
  /^(5[7-9]|6[0-7])\.0$/,
);

/**
 * An RSA private key as PEM text, as PEM on one line with `\n` written out, or as base64 of the PEM; the value is PEM
 * text.
 */
const privateKey: ValueKind<string> = {
  expected: 'an RSA private key in PEM form, or the base64 of it',
  parse: (given) => {
    const pem = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : Buffer.from(given, 'base64').toString();
    try {
      return createPrivateKey(pem).asymmetricKeyType === 'rsa' ? pem : undefined;
    } catch {
      return undefined; // not a key: the caller reports it in the words of `expected`
    }
  },
};

/** The variables for the org, and for requests to it. */
export const salesforceVariables = {
  SF_LOGIN_URL: optional(httpUrl, {
    group: 'salesforce',
    description: 'The My Domain URL of a real org. Without it the local sandbox is used.',
  }),
  SF_JWT_AUDIENCE: optional(httpUrl, {
    group: 'salesforce',
    description:
      'The audience (aud) of a JWT; without it login.salesforce.com or test.salesforce.com for a My Domain, otherwise SF_LOGIN_URL.',
  }),
  SF_CLIENT_ID: optional(oneLine, {
    group: 'salesforce',
    description: 'The consumer key of the connected app; needed with SF_LOGIN_URL.',
  }),
  SF_CLIENT_SECRET: optional(oneLine, {
    group: 'salesforce',
    description: 'The consumer secret, for the client-credentials grant.',
    secret: 'whole',
  }),
  SF_USERNAME: optional(oneLine, {
    group: 'salesforce',
    description: 'The integration user, for the JWT bearer grant; goes with SF_PRIVATE_KEY.',
  }),
  SF_PRIVATE_KEY: optional(privateKey, {
    group: 'salesforce',
    description: 'The private key of the connected app, for the JWT bearer grant; goes with SF_USERNAME.',
    secret: 'whole',
  }),
  SF_API_VERSION: defaulted(apiVersion, SF_API_VERSIONS.newest, {
    group: 'salesforce',
    description: 'The version of the Salesforce API that every request names.',
  }),
  SF_REQUEST_TIMEOUT_MS: defaulted(wholeNumber(100, 600_000), '15000', {
    group: 'salesforce',
    description: 'A request that Salesforce has not answered after this time fails.',
  }),
  SF_CONCURRENCY: defaulted(wholeNumber(1, 1_000), '10', {
    group: 'salesforce',
    description: 'How many requests to Salesforce may run at once in one process.',
  }),
  SF_QUEUE_MAX: defaulted(wholeNumber(0, 100_000), '500', {
    group: 'salesforce',
    description: 'How many further requests may wait for their turn; beyond it the longest queue loses its newest one.',
  }),
  SF_ACCOUNT_QUEUE_MAX: defaulted(wholeNumber(0, 100_000), '50', {
    group: 'salesforce',
    description: 'How many of them may belong to one account; its next one fails at once.',
  }),
  SF_ACCOUNT_SHARE_PERCENT: defaulted(wholeNumber(1, 100), '50', {
    group: 'salesforce',
    description: 'The part of SF_CONCURRENCY that one account may use while others make requests, too.',
  }),
  SF_QUOTA_RESERVE_PERCENT: defaulted(wholeNumber(0, 100), '10', {
    group: 'salesforce',
    description:
      "The part of the org's daily requests that is kept for writes, and for accounts that have asked for little. 0 keeps nothing.",
  }),
};

/** The variables for the org's change events; each domain declares its own channels. */
export const eventVariables = {
  SF_EVENTS_ENABLED: defaulted(boolean, 'true', {
    group: 'events',
    description:
      'Whether change events are subscribed to. Without them nothing tells the cache of changes: SF_STREAM_LOST_MAX_AGE_SECONDS holds always.',
  }),
  SF_EVENTS_TRANSPORT: defaulted(oneOf('pubsub', 'cometd'), 'pubsub', {
    group: 'events',
    description:
      'pubsub: Pub/Sub API (gRPC). cometd: Streaming API, where gRPC cannot pass. Each has positions of its own, so a change begins with a gap.',
  }),
  SF_PUBSUB_ENDPOINT: optional(pubSubEndpoint, {
    group: 'events',
    description:
      'host:port of the Pub/Sub API, else that of Salesforce or of the local sandbox. By TLS; with http:// without it, on this machine only.',
  }),
  SF_RECONCILE_SECONDS: defaulted(wholeNumber(0, 86_400), '300', {
    group: 'events',
    description:
      'Within this time a change is found that no event announced, by asking Salesforce: one request an object each time. 0 asks never.',
  }),
  SF_STREAM_WATCHDOG_SECONDS: optional(wholeNumber(1, 3_600), {
    group: 'events',
    description:
      'How long a stream may be silent before it counts as lost: 300 for pubsub, which is kept alive every 270 s, else 150.',
  }),
  SF_STREAM_LOST_MAX_AGE_SECONDS: defaulted(wholeNumber(1, 86_400), '60', {
    group: 'events',
    description:
      'The age up to which change-driven entries are served while the events that announce their changes are not followed.',
  }),
};

type Checked = CheckedVariables<ValuesOf<typeof salesforceVariables & typeof eventVariables>>;

/** The problems of the credentials: a real org needs all of those of one of the two grants. */
export function salesforceProblems({ isGiven }: Pick<Checked, 'isGiven'>): ConfigProblem[] {
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

/** The access token travels to the Pub/Sub API, so a connection without TLS is accepted on this machine only. */
export function pubSubEndpointProblems({ values }: Pick<Checked, 'values'>): ConfigProblem[] {
  const endpoint = values.SF_PUBSUB_ENDPOINT;
  if (endpoint?.startsWith('http://') !== true || isLoopback(endpoint)) return [];
  const expected = `${endpoint.slice('http://'.length)}, over TLS, because the access token travels to it (http only on this machine)`;
  return [{ name: 'SF_PUBSUB_ENDPOINT', given: masked(endpoint), expected }];
}
