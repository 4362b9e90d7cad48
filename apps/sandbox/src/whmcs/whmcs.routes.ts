import type { FastifyInstance } from 'fastify';
import type { Latency } from '../admin/latency.js';
import { ACTIONS, WhmcsRefusal, type Parameters } from './whmcs-actions.js';
import type { WhmcsData } from './whmcs-data.js';

/** The API credentials of this WHMCS. They are public, because they guard only made-up data on the local machine. */
export const WHMCS_CREDENTIALS = { identifier: 'sandbox-identifier', secret: 'sandbox-secret' } as const;

/** The parts that the billing routes use. */
export interface WhmcsContext {
  readonly data: WhmcsData;
  readonly latency: Latency;
  /** How many calls each action has received; tests check it. */
  readonly calls: Record<string, number>;
}

/**
 * `POST /whmcs/includes/api.php`: one address for all actions; the parameter `action` names the one to call. Refusals
 * are `{"result": "error"}`.
 */
export function whmcsRoutes(app: FastifyInstance, { data, latency, calls }: WhmcsContext): void {
  app.post('/whmcs/includes/api.php', async (request, reply) => {
    const parameters = (request.body ?? {}) as Parameters;
    try {
      await latency.half('whmcs');
      const answer = { result: 'success', ...act(data, parameters, calls) };
      await latency.half('whmcs');
      return await reply.send(answer);
    } catch (error) {
      if (!(error instanceof WhmcsRefusal)) throw error;
      return reply.code(error.status).send({ result: 'error', message: error.message });
    }
  });
}

function act(data: WhmcsData, parameters: Parameters, calls: Record<string, number>): Record<string, unknown> {
  const { identifier, secret } = parameters;
  if (identifier !== WHMCS_CREDENTIALS.identifier || secret !== WHMCS_CREDENTIALS.secret) {
    throw new WhmcsRefusal('Authentication Failed', 403);
  }
  if (parameters['responsetype'] !== 'json') {
    throw new WhmcsRefusal('This sandbox answers JSON only: send responsetype=json', 400);
  }
  const name = parameters['action']?.toLowerCase() ?? '';
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new WhmcsRefusal('Command Not Found');
  calls[name] = (calls[name] ?? 0) + 1;
  return action(data, parameters);
}
