import type { FastifyInstance } from 'fastify';
import type { SandboxParts } from '../sandbox-parts.js';
import { checkFault, endFaults, faultCatalogue, faultsInForce, type CheckedFault } from './faults.js';
import { statusOf } from './feed.routes.js';

/**
 * The sandbox's own routes: an index, health, a token for REST calls by hand, the gRPC certificate, statistics (call
 * counts, channels, status) and faults.
 */
export function adminRoutes(app: FastifyInstance, parts: SandboxParts, portalUrl: string | undefined): void {
  app.get('/sandbox', () => ({ ...INDEX, bff: portalUrl }));
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/demo/salesforce-token', (_request, reply) => reply.type('text/plain').send(parts.sessions.issue()));
  app.get('/sandbox/certificate', (_request, reply) => reply.type('application/x-pem-file').send(parts.certificate));
  app.get('/sandbox/stats', () => ({
    salesforce: parts.api.counts,
    whmcs: parts.whmcsCalls,
    channels: parts.channels.names(),
    ...statusOf(parts),
  }));
  app.get('/sandbox/faults', () => ({ faults: faultCatalogue(), inForce: faultsInForce(parts) }));
  app.post('/sandbox/faults', (request, reply) => {
    const checked = checkFault(request.body);
    if ('problems' in checked) {
      const message = 'This is not a fault the sandbox knows: GET /sandbox/faults lists them all';
      return reply.code(400).send({ message, problems: checked.problems });
    }
    return reply.send({ fault: checked.name, ...carryOut(checked, parts) });
  });
  app.delete('/sandbox/faults', () => {
    endFaults(parts);
    parts.feed.add('fault', () => ({ fault: 'all ended', effect: {} }));
    return { inForce: faultsInForce(parts) };
  });
}

/** The answer of `GET /sandbox`: an index for people who use curl. */
const INDEX = {
  name: 'Evergreen sandbox: a local Salesforce, WHMCS and token issuer',
  page: '/',
  salesforce: {
    token: 'POST /services/oauth2/token (client_credentials: sandbox-client / sandbox-secret)',
    tokenForCurl: 'GET /demo/salesforce-token',
    rest: '/services/data/v67.0/',
    cometd: '/cometd/67.0',
    pubSub: 'the gRPC port, TLS (certificate: GET /sandbox/certificate) or plaintext from this machine',
  },
  whmcs: 'POST /whmcs/includes/api.php (identifier=sandbox-identifier, secret=sandbox-secret)',
  issuer: {
    customerTokens: 'GET /demo/token/1 (also 2 and 3)',
    discovery: '/.well-known/openid-configuration',
    keys: '/.well-known/jwks.json',
  },
  sandbox: {
    health: '/health',
    stats: '/sandbox/stats',
    feed: '/sandbox/feed (server-sent events), /sandbox/feed.json?after=0',
    faults: 'GET /sandbox/faults lists them, POST fires one, DELETE ends all',
  },
};

/** Carries out a fault, adds it to the feed, and returns its effect. */
export function carryOut(fault: CheckedFault, parts: SandboxParts): Record<string, unknown> {
  const effect = fault.carryOut(parts);
  parts.feed.add('fault', () => ({ fault: fault.name, effect }));
  return effect;
}
