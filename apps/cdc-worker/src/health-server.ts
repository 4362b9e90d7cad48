import { Operators } from '@bff/infra/health/operators';
import { Readiness } from '@bff/infra/health/readiness';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import type { INestApplicationContext } from '@nestjs/common';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';

/**
 * The worker's health port, not yet listening: `/health/live` and `/health/ready` for anybody, `/health/sf-events` for
 * operators alone, and nothing else.
 */
export function createHealthServer(context: INestApplicationContext): FastifyInstance {
  const readiness = context.get(Readiness);
  const events = context.get(EventsHealthService);
  const operators = context.get(Operators);
  const server = fastify({ bodyLimit: 1024, requestTimeout: 10_000 });
  server.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    if (readiness.current === 'draining') reply.header('connection', 'close');
    done();
  });
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, {
      kind: 'not-found',
      title: 'Not Found',
      status: 404,
      detail:
        'The worker answers /health/live, /health/ready and /health/sf-events; what customers ask for is on the BFF.',
    }),
  );
  server.get('/health/live', () => ({ status: 'up' }));
  server.get('/health/ready', (_request, reply) => {
    const status = readiness.current;
    return reply.status(status === 'ready' ? 200 : 503).send({ status });
  });
  server.get('/health/sf-events', async (request, reply) => {
    if (!operators.includes(request)) {
      reply.header('www-authenticate', 'Bearer');
      return sendProblem(reply, {
        kind: 'operator-only',
        title: 'For operators',
        status: 401,
        detail:
          'Only operators see the state of the change events: send OPERATOR_TOKEN as a bearer token, or ask from an address of OPERATOR_ADDRESSES.',
      });
    }
    const answer = await events.answer();
    return reply.status(answer.status === 'down' ? 503 : 200).send(answer);
  });
  return server;
}

interface WorkerProblem {
  readonly kind: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

function sendProblem(reply: FastifyReply, { kind, ...problem }: WorkerProblem): FastifyReply {
  reply.header('content-type', 'application/problem+json').status(problem.status);
  return reply.send({ type: `urn:evergreen:problem:${kind}`, ...problem });
}
