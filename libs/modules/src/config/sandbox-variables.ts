import { defaulted, optional } from '@bff/infra/config/documented-variable';
import {
  hostName,
  httpUrl,
  listOf,
  oneLine,
  port,
  text,
  wholeNumber,
  type ValueKind,
} from '@bff/infra/config/value-kinds';

const hostNames: ValueKind<readonly string[]> = {
  expected: 'one or more host names such as sandbox.test, separated by commas',
  parse: (given) => listOf(given, (name) => hostName.parse(name)),
};

/** The variables of the local sandbox. It reads them itself; they are here so that one list checks everything. */
export const sandboxVariables = {
  SANDBOX_HOST: defaulted(hostName, '127.0.0.1', {
    group: 'sandbox',
    description: 'The address on which the sandbox listens, and where the BFF and the worker find it.',
  }),
  SANDBOX_PORT: defaulted(port, '4000', { group: 'sandbox', description: 'The HTTP port of the sandbox.' }),
  SANDBOX_GRPC_PORT: defaulted(port, '4001', {
    group: 'sandbox',
    description: 'The gRPC port of the sandbox (Pub/Sub API): TLS, and plaintext from this machine.',
  }),
  SANDBOX_PUBLIC_URL: optional(httpUrl, {
    group: 'sandbox',
    description:
      "Where the BFF and the worker find the sandbox, and the issuer in its customers' tokens, if not at host and port.",
  }),
  SANDBOX_ALLOWED_HOSTS: optional(hostNames, {
    group: 'sandbox',
    description:
      'Further names under which the sandbox is reached; it refuses a request with another Host (DNS rebinding).',
  }),
  SANDBOX_LATENCY_MS: defaulted(wholeNumber(0, 60_000), '300', {
    group: 'sandbox',
    description: 'How long the sandbox takes for a query, so that a hit and a miss can be told apart by eye.',
  }),
  SANDBOX_DATA: optional(oneLine, {
    group: 'sandbox',
    description: "A folder with an export in Salesforce's sObject-tree format, to load beside the made-up records.",
  }),
  SANDBOX_SESSION_SECONDS: defaulted(wholeNumber(1, 86_400), '7200', {
    group: 'sandbox',
    description: 'How long an access token of the sandbox lasts.',
  }),
  SANDBOX_JWT_PUBLIC_KEY: optional(text('a public key in PEM form', /-----BEGIN/), {
    group: 'sandbox',
    description:
      'The public key (PEM) with which the sandbox checks JWT bearer assertions; without it, it refuses them.',
  }),
  SANDBOX_JWT_AUDIENCE: optional(httpUrl, {
    group: 'sandbox',
    description:
      'The only audience that the sandbox takes in a JWT; without it, its own URL and those of login and test.salesforce.com.',
  }),
  SANDBOX_DAILY_API_REQUESTS: defaulted(wholeNumber(1, 100_000_000), '5000000', {
    group: 'sandbox',
    description: 'How many requests the sandbox answers before REQUEST_LIMIT_EXCEEDED.',
  }),
  SANDBOX_CONNECT_TIMEOUT_MS: defaulted(wholeNumber(100, 110_000), '110000', {
    group: 'sandbox',
    description: 'How long the sandbox holds a CometD connect that has nothing to tell.',
  }),
  SANDBOX_DAILY_EVENT_DELIVERIES: defaulted(wholeNumber(1, 100_000_000), '5000000', {
    group: 'sandbox',
    description: 'How many events the sandbox delivers, to all subscribers together, before it refuses more.',
  }),
  SANDBOX_KEEPALIVE_MS: defaulted(wholeNumber(100, 270_000), '270000', {
    group: 'sandbox',
    description: 'After how long without events the sandbox sends a keep-alive on a Pub/Sub stream.',
  }),
  SANDBOX_FETCH_TIMEOUT_MS: defaulted(wholeNumber(100, 60_000), '60000', {
    group: 'sandbox',
    description: 'How long a Pub/Sub stream of the sandbox may have nothing requested before it is closed.',
  }),
  SANDBOX_SETTLE_MS: defaulted(wholeNumber(0, 60_000), '0', {
    group: 'sandbox',
    description: 'How long after a subscription at LATEST the sandbox still loses events; about 3000 in real orgs.',
  }),
};
