import type { AddressInfo } from 'node:net';
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { adminRoutes } from './admin/admin.routes.js';
import { applyFault, type Fault, type FaultTargets } from './admin/faults.js';
import { Latency } from './admin/latency.js';
import { Refusals } from './admin/refusals.js';
import { Cometd } from './cometd/cometd.js';
import { cometdRoutes } from './cometd/cometd.routes.js';
import { ChangeEvents } from './events/change-events.js';
import { EventLog } from './events/event-log.js';
import { issuerRoutes } from './issuer/issuer.routes.js';
import { TokenIssuer } from './issuer/token-issuer.js';
import { publicKeyOf } from './oauth/jwt-bearer.js';
import { oauthRoutes } from './oauth/oauth.routes.js';
import { Sessions } from './oauth/sessions.js';
import { SalesforceFault } from './org/org.errors.js';
import { Org } from './org/org.js';
import { seedTelecomPortal } from './portal/telecom-portal.js';
import { RestApi, type CallCounts } from './rest/rest-api.js';
import { restRoutes } from './rest/rest.routes.js';
import type { SandboxOptions } from './sandbox.options.js';
import { loadTreeFolder, type LoadReport } from './tree/tree-loader.js';
import { WhmcsData } from './whmcs/whmcs-data.js';
import { whmcsRoutes } from './whmcs/whmcs.routes.js';

/** A running sandbox, as the process that started it sees it. */
export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** The records: what is written here is announced like every other change. */
  readonly org: Org;
  /** The published events, newest last. */
  readonly events: EventLog;
  /** What was added from the data folder. */
  readonly loaded: LoadReport;
  /** How many calls were answered, by kind: count these to prove that a cache fetched once. */
  readonly counts: { readonly salesforce: Readonly<CallCounts>; readonly whmcs: Readonly<Record<string, number>> };
  /** Makes something go wrong, as `POST /sandbox/faults` does. */
  fault(fault: Fault): void;
  setLatency(ms: number): void;
  /** An access token of the org. */
  issueToken(): string;
  /** Ends held connects, answers what is under way, and stops listening. */
  close(): Promise<void>;
}

/** How long `close` lets requests under way finish before it cuts them off. */
const CLOSE_GRACE_MS = 2_000;

/** Starts a local Salesforce, WHMCS and token issuer. Rejects if the port is taken or the data folder cannot be loaded. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const org = new Org();
  seedTelecomPortal(org);
  const loaded =
    options.dataFolder === undefined ? { counts: {}, leftOut: [] } : loadTreeFolder(org, options.dataFolder);
  const host = options.host ?? '127.0.0.1';
  const log = new EventLog(org.clock);
  const sessions = new Sessions(org.organizationId, options.sessionSeconds ?? 7_200);
  const cometd = new Cometd(org.schema, log, sessions, {
    connectTimeoutMs: options.connectTimeoutMs ?? 110_000,
    sessionTimeoutMs: options.cometdSessionTimeoutMs ?? 40_000,
  });
  // The change engine listens from here on: seeded and loaded records are no news.
  const targets: FaultTargets = {
    org,
    sessions,
    cometd,
    events: new ChangeEvents(org, log),
    latency: new Latency(options.latencyMs ?? 300),
    refusals: new Refusals(),
  };
  const usage = { used: 0, max: options.dailyRequestsMax ?? 5_000_000 };
  const parts = {
    usage,
    api: new RestApi(org, usage.max, () => usage.used),
    whmcsCalls: {},
    issuer: await TokenIssuer.create(),
  };
  let url = '';
  const app = await compose(options, targets, parts, () => options.publicUrl ?? url);
  await app.listen({ port: options.port ?? 4000, host });
  const { port } = app.server.address() as AddressInfo;
  url = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  return {
    url,
    port,
    org,
    events: log,
    loaded,
    counts: { salesforce: parts.api.counts, whmcs: parts.whmcsCalls },
    fault: (fault) => void applyFault(fault, targets),
    setLatency: (ms) => void applyFault({ fault: 'latency', ms }, targets),
    issueToken: () => sessions.issue(),
    close: () => closeGracefully(app),
  };
}

interface Parts {
  readonly usage: { used: number; readonly max: number };
  readonly api: RestApi;
  readonly whmcsCalls: Record<string, number>;
  readonly issuer: TokenIssuer;
}

async function compose(
  options: SandboxOptions,
  targets: FaultTargets,
  parts: Parts,
  issuerUrl: () => string,
): Promise<FastifyInstance> {
  const { org, sessions, cometd, latency, refusals } = targets;
  const app = fastify({ logger: false, routerOptions: { ignoreTrailingSlash: true } });
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof SalesforceFault) return reply.code(error.status).send(error.body());
    throw error;
  });
  app.addHook('preClose', (done) => {
    cometd.close();
    done();
  });
  await app.register(formbody);
  await app.register((scope, _options, done) => {
    const halfLatency = () => latency.half();
    restRoutes(scope, {
      org,
      sessions,
      api: parts.api,
      usage: parts.usage,
      halfLatency,
      refuse: () => refusals.check('rest'),
    });
    done();
  });
  const jwtPublicKey = options.jwtPublicKey === undefined ? undefined : publicKeyOf(options.jwtPublicKey);
  await app.register((scope, _options, done) => {
    oauthRoutes(scope, { org, sessions, jwtPublicKey });
    cometdRoutes(scope, cometd, () => refusals.check('cometd'));
    whmcsRoutes(scope, { data: new WhmcsData(org), latency, refusals, calls: parts.whmcsCalls });
    issuerRoutes(scope, parts.issuer, issuerUrl);
    adminRoutes(scope, { ...targets, api: parts.api, whmcsCalls: () => parts.whmcsCalls });
    done();
  });
  return app;
}

async function closeGracefully(app: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(cutOff);
}
