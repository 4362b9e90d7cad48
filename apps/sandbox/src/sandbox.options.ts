import { z } from 'zod';
import { publicKeyOf } from './oauth/jwt-bearer.js';

/** The options of `startSandbox`. Every field is optional. */
export interface SandboxOptions {
  /** @default 4000; 0 takes a free one */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /**
   * The port of the Pub/Sub API, for TLS and plaintext; plaintext is accepted from this machine only. @default 4001, a
   * free one if `port` is 0
   */
  readonly grpcPort?: number | undefined;
  /** The address that clients use if it differs from `http://<host>:<port>`: the `iss` of the customers' tokens. */
  readonly publicUrl?: string | undefined;
  /**
   * Further names under which clients reach it; a request with another `Host` is refused. @default none: those of this
   * machine, `host` and the host of `publicUrl` only
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Where the BFF is, for a link on the page. @default none: there is no link */
  readonly portalUrl?: string | undefined;
  /** How long each call to the REST API and to WHMCS takes, in ms. @default 300 */
  readonly latencyMs?: number;
  /** A folder of sObject tree files, whose records are added to the made-up ones. @default none */
  readonly dataFolder?: string | undefined;
  /** Lifetime of an org access token in seconds. @default 7200 */
  readonly sessionSeconds?: number;
  /** PEM of the key that verifies JWT bearer assertions. @default none: that grant is refused */
  readonly jwtPublicKey?: string | undefined;
  /**
   * The only audience that assertions may name. @default the sandbox's own URL, login.salesforce.com and
   * test.salesforce.com
   */
  readonly jwtAudience?: string | undefined;
  /**
   * Number of requests that the org answers before REQUEST_LIMIT_EXCEEDED, counted from the start. @default 5000000, as
   * in a Full sandbox of Salesforce
   */
  readonly dailyRequestsMax?: number;
  /**
   * Number of events that the org delivers, to all subscribers together, before it refuses more; counted from the
   * start. @default 5000000
   */
  readonly dailyDeliveriesMax?: number;
  /** Maximum number of events kept; then the oldest are dropped, as if they had expired. @default 100000 */
  readonly eventsMax?: number;
  /** How long a CometD connect is held. @default 110000 */
  readonly connectTimeoutMs?: number;
  /** How soon a CometD client must connect again. @default 40000 */
  readonly cometdSessionTimeoutMs?: number;
  /** Time without events after which a Pub/Sub stream receives a keep-alive. @default 270000 */
  readonly keepaliveMs?: number;
  /** How long a Pub/Sub stream may have nothing requested before it ends. @default 60000 */
  readonly fetchTimeoutMs?: number;
  /** How long after a subscription at LATEST it still misses events. @default 0 */
  readonly settleMs?: number;
}

const whole = (min: number, max: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${min} to ${max}` })
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

const environment = z.object({
  SANDBOX_PORT: whole(0, 65_535).default(4000),
  SANDBOX_HOST: z.string().min(1).default('127.0.0.1'),
  SANDBOX_GRPC_PORT: whole(0, 65_535).optional(),
  SANDBOX_PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be a URL such as http://localhost:4000' }).optional(),
  SANDBOX_ALLOWED_HOSTS: z
    .string()
    .regex(/^[\w.:-]{1,253}(,[\w.:-]{1,253})*$/, 'must be host names such as sandbox.test, separated by commas')
    .transform((names) => names.split(','))
    .optional(),
  SANDBOX_LATENCY_MS: whole(0, 60_000).default(300),
  SANDBOX_DATA: z.string().optional(),
  SANDBOX_SESSION_SECONDS: whole(1, 86_400).default(7_200),
  SANDBOX_JWT_PUBLIC_KEY: z
    .string()
    .refine(isPublicKey, 'must be a public key in PEM form (its line ends may be written \\n)')
    .optional(),
  SANDBOX_JWT_AUDIENCE: z.url({ protocol: /^https?$/, error: 'must be a URL' }).optional(),
  SANDBOX_DAILY_API_REQUESTS: whole(1, 100_000_000).default(5_000_000),
  SANDBOX_DAILY_EVENT_DELIVERIES: whole(1, 100_000_000).default(5_000_000),
  SANDBOX_CONNECT_TIMEOUT_MS: whole(100, 110_000).default(110_000),
  SANDBOX_KEEPALIVE_MS: whole(100, 270_000).default(270_000),
  SANDBOX_FETCH_TIMEOUT_MS: whole(100, 60_000).default(60_000),
  SANDBOX_SETTLE_MS: whole(0, 60_000).default(0),
});

/**
 * The options that the environment sets; empty variables count as not set. Throws one error that names every bad
 * variable.
 */
export function sandboxOptionsFrom(env: NodeJS.ProcessEnv): SandboxOptions {
  const set = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('SANDBOX_') && value !== ''),
  );
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new Error(`The sandbox cannot start with this configuration:\n${problems.join('\n')}`);
  }
  const { data } = parsed;
  return {
    port: data.SANDBOX_PORT,
    host: data.SANDBOX_HOST,
    grpcPort: data.SANDBOX_GRPC_PORT,
    publicUrl: data.SANDBOX_PUBLIC_URL,
    allowedHosts: data.SANDBOX_ALLOWED_HOSTS,
    portalUrl: portalUrlFrom(env),
    latencyMs: data.SANDBOX_LATENCY_MS,
    dataFolder: data.SANDBOX_DATA,
    sessionSeconds: data.SANDBOX_SESSION_SECONDS,
    jwtPublicKey: data.SANDBOX_JWT_PUBLIC_KEY,
    jwtAudience: data.SANDBOX_JWT_AUDIENCE,
    dailyRequestsMax: data.SANDBOX_DAILY_API_REQUESTS,
    dailyDeliveriesMax: data.SANDBOX_DAILY_EVENT_DELIVERIES,
    connectTimeoutMs: data.SANDBOX_CONNECT_TIMEOUT_MS,
    keepaliveMs: data.SANDBOX_KEEPALIVE_MS,
    fetchTimeoutMs: data.SANDBOX_FETCH_TIMEOUT_MS,
    settleMs: data.SANDBOX_SETTLE_MS,
  };
}

/** Where the BFF of this machine listens, by its own variables; undefined if it picks a free port. */
function portalUrlFrom({ HOST = '', PORT = '' }: NodeJS.ProcessEnv): string | undefined {
  const url = `http://${['', '0.0.0.0', '::'].includes(HOST) ? '127.0.0.1' : HOST}:${PORT || 3000}`;
  return PORT !== '0' && URL.canParse(url) ? url : undefined;
}

function isPublicKey(pem: string): boolean {
  try {
    publicKeyOf(pem);
    return true;
  } catch {
    return false;
  }
}
