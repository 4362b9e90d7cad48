import type { FastifyInstance } from 'fastify';
import type { Latency, Target } from './latency.js';
import type { Refusals } from './refusals.js';

/**
 * Makes every route of this fastify scope refuse calls as ordered, and the routes of `oauth` and `cometd` wait their
 * time. `rest` and `whmcs` wait in their own routes, half of the time before their work and half after it.
 */
export function withTroubles(
  app: FastifyInstance,
  target: Exclude<Target, 'pubsub'>,
  { refusals, latency }: { readonly refusals: Refusals; readonly latency: Latency },
): void {
  app.addHook('onRequest', async (request, reply) => {
    const refusal = refusals.ofHttp(target);
    if (refusal === 'connection-dropped') {
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    if (refusal !== undefined) {
      await reply.code(refusal.status).type('application/json;charset=UTF-8').send(JSON.stringify(refusal.body));
      return;
    }
    if (target === 'oauth' || target === 'cometd') await latency.whole(target);
  });
}
