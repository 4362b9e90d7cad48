import type { FastifyInstance } from 'fastify';
import type { SandboxParts } from '../sandbox-parts.js';
import { checkFault, endFaults, faultCatalogue, faultsInForce, type CheckedFault } from './faults.js';
import { statusOf } from './feed.routes.js';

/** The sandbox's own routes: health, a token for trying the REST API by hand, call counts, faults. */
export function adminRoutes(app: FastifyInstance, parts: SandboxParts): void {
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
    parts.feed.add('fault', { fault: 'all ended', effect: {} });
    return { inForce: faultsInForce(parts) };
  });
}

/** Carries a fault out and lets those who watch know. */
export function carryOut(fault: CheckedFault, parts: SandboxParts): Record<string, unknown> {
  const effect = fault.carryOut(parts);
  parts.feed.add('fault', { fault: fault.name, effect });
  return effect;
}
