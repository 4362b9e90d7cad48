import { Readiness } from '@bff/infra/health/readiness';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import type { INestApplicationContext } from '@nestjs/common';
import { fastify, type FastifyInstance } from 'fastify';

/** The worker's health port, not yet listening: `/health/live`, `/health/ready` and `/health/sf-events` alone. */
export function createHealthServer(context: INestApplicationContext): FastifyInstance {
  const readiness = context.get(Readiness);
  const events = context.get(EventsHealthService);
  const server = fastify({ bodyLimit: 1024, requestTimeout: 10_000 });
  server.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    done();
  });
  server.setNotFoundHandler((_request, reply) => {
    reply.header('content-type', 'application/problem+json').status(404);
    return reply.send({
      type: 'urn:evergreen:problem:not-found',
      title: 'Not Found',
      status: 404,
      detail:
        'The worker answers /health/live, /health/ready and /health/sf-events; what customers ask for is on the BFF.',
    });
  });
  server.get('/health/live', () => ({ status: 'up' }));
  server.get('/health/ready', (_request, reply) => {
    const status = readiness.current;
    return reply.status(status === 'ready' ? 200 : 503).send({ status });
  });
  server.get('/health/sf-events', async (_request, reply) => {
    const health = await events.check();
    return reply.status(health.status === 'down' ? 503 : 200).send({ timestamp: new Date().toISOString(), ...health });
  });
  return server;
}
