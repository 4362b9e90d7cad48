import type { AddressInfo } from 'node:net';
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { adminRoutes, carryOut } from './admin/admin.routes.js';
import { checkFault, endFaults, type Fault } from './admin/faults.js';
import { feedRoutes } from './admin/feed.routes.js';
import { withTroubles } from './admin/troubles.js';
import { cometdRoutes } from './cometd/cometd.routes.js';
import { refuseForeign, refuseRepeated, takeFormsOnly, takeJsonOnly } from './edge/foreign-requests.js';
import { OwnNames } from './edge/own-names.js';
import type { Channels } from './events/channels.js';
import type { EventLog } from './events/event-log.js';
import { issuerRoutes } from './issuer/issuer.routes.js';
import { publicKeyOf } from './oauth/jwt-bearer.js';
import { oauthRoutes } from './oauth/oauth.routes.js';
import { SalesforceFault } from './org/org.errors.js';
import { Org } from './org/org.js';
import { pageRoutes } from './page/page.routes.js';
import { seedTelecomPortal } from './portal/telecom-portal.js';
import type { CallCounts } from './rest/rest-api.js';
import { restRoutes } from './rest/rest.routes.js';
import { composeParts, type SandboxParts } from './sandbox-parts.js';
import type { SandboxOptions } from './sandbox.options.js';
import { loadTreeFolder, type LoadReport } from './tree/tree-loader.js';
import { WhmcsData } from './whmcs/whmcs-data.js';
import { whmcsRoutes } from './whmcs/whmcs.routes.js';

/** A running sandbox, as the process that started it sees it. */
export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** The address of the Pub/Sub API, for TLS and plaintext: `127.0.0.1:4001`. */
  readonly pubSubEndpoint: string;
  /** The certificate of the Pub/Sub port (PEM), for clients that check it. */
  readonly certificate: string;
  /** The records; writes to them are announced like every other change. */
  readonly org: Org;
  /** The published events, newest last. */
  readonly events: EventLog;
  /** The channels; custom ones are added here or through the Tooling API. */
  readonly channels: Channels;
  /** The records added from the data folder, and those left out. */
  readonly loaded: LoadReport;
  /**
   * How many calls have reached the org and WHMCS, by kind. A test can prove by these counts that a cache fetched once.
   */
  readonly counts: { readonly salesforce: Readonly<CallCounts>; readonly whmcs: Readonly<Record<string, number>> };
  /** The number of open CometD sessions and Pub/Sub streams. */
  readonly listening: { readonly cometdSessions: number; readonly pubSubStreams: number };
  /**
   * Fires a fault, as `POST /sandbox/faults` does, and returns what it affected. Throws `TypeError` for an invalid
   * order.
   */
  fault(fault: Fault): Record<string, unknown>;
  /** Ends every fault in force, as `DELETE /sandbox/faults` does. */
  endFaults(): void;
  setLatency(ms: number): void;
  /** An access token of the org. */
  issueToken(): string;
  /** Ends held connects and streams, lets requests under way finish for at most two seconds, and stops listening. */
  close(): Promise<void>;
}

/** How long `close` lets requests under way finish before it cuts them off. */
const CLOSE_GRACE_MS = 2_000;

/**
 * Starts a local Salesforce, WHMCS and token issuer. Rejects if, for example, a port is taken or the data folder cannot
 * be loaded.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const org = new Org();
  seedTelecomPortal(org);
  const loaded =
    options.dataFolder === undefined ? { counts: {}, leftOut: [] } : loadTreeFolder(org, options.dataFolder);
  const parts = await composeParts(org, options);
  let url = '';
  const app = await compose(options, parts, () => options.publicUrl ?? url);
  const { host, port, grpcPort } = await listen(app, parts, options);
  const reachedAt = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  url = `http://${reachedAt}:${port}`;
  return {
    url,
    port,
    pubSubEndpoint: `${reachedAt}:${grpcPort}`,
    certificate: parts.certificate,
    org,
    events: parts.log,
    channels: parts.channels,
    loaded,
    counts: { salesforce: parts.api.counts, whmcs: parts.whmcsCalls },
    get listening() {
      return { cometdSessions: parts.cometd.sessionCount, pubSubStreams: parts.pubSub.streamCount };
    },
    fault: (fault) => applyFault(fault, parts),
    endFaults: () => endFaults(parts),
    setLatency: (ms) => void applyFault({ fault: 'latency', ms }, parts),
    issueToken: () => parts.sessions.issue(),
    close: () => closeGracefully(app, parts),
  };
}

function applyFault(fault: Fault, parts: SandboxParts): Record<string, unknown> {
  const checked = checkFault(fault);
  if ('problems' in checked) throw new TypeError(checked.problems.join('; '));
  return carryOut(checked, parts);
}

async function compose(
  options: SandboxOptions,
  parts: SandboxParts,
  issuerUrl: () => string,
): Promise<FastifyInstance> {
  const { org, sessions, cometd, latency } = parts;
  // An instance URL that ends in a slash gives `//services/data/…`, which Salesforce accepts and the sf command line
  // sends.
  const routerOptions = { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true };
  const app = fastify({ logger: false, routerOptions });
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof SalesforceFault) return reply.code(error.status).send(error.body());
    throw error;
  });
  app.addHook('preClose', (done) => {
    cometd.close();
    done();
  });
  refuseForeign(app, new OwnNames(options));
  // WHMCS and OAuth take forms by their nature: their real clients send nothing else.
  await app.register(formbody);
  const jwtPublicKey = options.jwtPublicKey === undefined ? undefined : publicKeyOf(options.jwtPublicKey);
  const scopes: readonly ((scope: FastifyInstance) => void)[] = [
    (scope) => {
      withTroubles(scope, 'rest', parts);
      restRoutes(scope, parts);
    },
    (scope) => {
      withTroubles(scope, 'oauth', parts);
      takeFormsOnly(scope);
      refuseRepeated(scope, (message) => ({ error: 'invalid_request', error_description: message }));
      oauthRoutes(scope, { org, sessions, jwtPublicKey, jwtAudience: options.jwtAudience });
    },
    (scope) => {
      withTroubles(scope, 'cometd', parts);
      cometdRoutes(scope, cometd);
    },
    (scope) => {
      withTroubles(scope, 'whmcs', parts);
      takeFormsOnly(scope);
      refuseRepeated(scope, (message) => ({ result: 'error', message }));
      whmcsRoutes(scope, { data: new WhmcsData(org), latency, calls: parts.whmcsCalls });
    },
    (scope) => issuerRoutes(scope, parts.issuer, issuerUrl),
    (scope) => {
      takeJsonOnly(scope);
      adminRoutes(scope, parts, options.portalUrl);
      feedRoutes(scope, parts);
      pageRoutes(scope);
    },
  ];
  for (const routes of scopes) {
    await app.register((scope, _options, done) => {
      routes(scope);
      done();
    });
  }
  return app;
}

async function listen(
  app: FastifyInstance,
  { listener }: SandboxParts,
  options: SandboxOptions,
): Promise<{ host: string; port: number; grpcPort: number }> {
  const host = options.host ?? '127.0.0.1';
  const wanted = options.port ?? 4000;
  await app.listen({ port: wanted, host });
  try {
    const grpcPort = await listener.listen(options.grpcPort ?? (wanted === 0 ? 0 : 4001), host);
    return { host, port: (app.server.address() as AddressInfo).port, grpcPort };
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function closeGracefully(app: FastifyInstance, { pubSub, listener, delivery }: SandboxParts): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  delivery.close();
  pubSub.endStreams('unavailable');
  pubSub.close();
  await Promise.all([app.close(), listener.close()]);
  clearTimeout(cutOff);
}
