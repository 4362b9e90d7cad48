import type { FastifyInstance } from 'fastify';
import type { RestApi } from '../rest/rest-api.js';
import type { Sessions } from '../oauth/sessions.js';
import { applyFault, faultSchema, type FaultTargets } from './faults.js';

/** What the sandbox's own routes stand on. */
export interface AdminContext extends FaultTargets {
  readonly sessions: Sessions;
  readonly api: RestApi;
  readonly whmcsCalls: () => Readonly<Record<string, number>>;
}

/** What is here, for people: the index, health, a token for trying the REST API by hand, call counts and faults. */
export function adminRoutes(app: FastifyInstance, context: AdminContext): void {
  app.get('/', () => index());
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/demo/salesforce-token', (_request, reply) => reply.type('text/plain').send(context.sessions.issue()));
  app.get('/sandbox/stats', () => ({
    salesforce: context.api.counts,
    whmcs: context.whmcsCalls(),
    cometdSessions: context.cometd.sessionCount,
  }));
  app.post('/sandbox/faults', (request, reply) => {
    const parsed = faultSchema.safeParse(request.body);
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
      return reply
        .code(400)
        .send({ message: 'This is not a fault the sandbox knows: see apps/sandbox/README.md', problems });
    }
    return reply.send({ fault: parsed.data.fault, ...applyFault(parsed.data, context) });
  });
}

function index(): Record<string, unknown> {
  return {
    name: 'Evergreen sandbox: a local Salesforce, WHMCS and token issuer',
    salesforce: {
      token: 'POST /services/oauth2/token (client_credentials: sandbox-client / sandbox-secret)',
      tokenForCurl: 'GET /demo/salesforce-token',
      rest: '/services/data/v67.0/',
      cometd: '/cometd/67.0',
    },
    whmcs: 'POST /whmcs/includes/api.php (identifier=sandbox-identifier, secret=sandbox-secret)',
    issuer: {
      customerTokens: 'GET /demo/token/1 (also 2 and 3)',
      discovery: '/.well-known/openid-configuration',
      keys: '/.well-known/jwks.json',
    },
    sandbox: { health: '/health', stats: '/sandbox/stats', faults: 'POST /sandbox/faults' },
  };
}
