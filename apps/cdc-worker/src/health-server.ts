import { operatorFault, Operators } from '@bff/infra/health/operators';
import { Readiness } from '@bff/infra/health/readiness';
import { Audit } from '@bff/infra/logging/audit';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import { clientRequestId, requestId } from '@bff/modules/runtime/log-options';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerUnreadable, problemOf, sendProblem } from './worker-problems.js';

/** What every address of the worker takes; Fastify answers HEAD where there is a GET. */
const METHODS = 'GET, HEAD, OPTIONS';

/**
 * The worker's health port, not yet listening: `/health/live` and `/health/ready` for anybody, `/health/sf-events` for
 * operators alone, and nothing else. Problems, request ids and methods are answered as the BFF does, and the audit
 * records those who are no operators.
 */
export function createHealthServer(context: INestApplicationContext): FastifyInstance {
  const readiness = context.get(Readiness);
  const events = context.get(EventsHealthService);
  const operators = context.get(Operators);
  const audit = context.get(Audit);
  const logger = new Logger('Health');
  const server = fastify({
    bodyLimit: 1024,
    requestTimeout: 10_000,
    genReqId: requestId,
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, problemOf(error)),
    clientErrorHandler: answerUnreadable,
  });
  const addresses = new Set<string>();
  server.addHook('onRoute', ({ url }) => void addresses.add(url));
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'x-request-id': request.id });
    const clientId = clientRequestId(request.raw);
    if (clientId !== undefined) reply.header('x-client-request-id', clientId);
    // No address reads a body, so the rest of one is not waited for.
    if (readiness.current === 'draining' || hasBody(request)) reply.header('connection', 'close');
    if (request.is404) answerUnrouted(request, reply, addresses);
    else done();
  });
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error as object);
    if (problem.status >= 500) logger.error({ err: error, requestId: request.id }, `answered ${problem.status}`);
    return sendProblem(request, reply, problem);
  });
  server.get('/health/live', () => ({ status: 'up' }));
  server.get('/health/ready', (_request, reply) => {
    const status = readiness.current;
    return reply.status(status === 'ready' ? 200 : 503).send({ status });
  });
  server.get('/health/sf-events', async (request, reply) => {
    if (!operators.includes(request)) {
      const line = { reason: operatorFault(request), requestId: request.id, status: 401 };
      audit.record('operator.denied', { ...line, route: `${request.method} /health/sf-events` });
      return refuse(request, reply);
    }
    const answer = await events.answer();
    return reply.status(answer.status === 'down' ? 503 : 200).send(answer);
  });
  return server;
}

/** Tells a wrong method from a wrong address, as the BFF does (RFC 9110, 9.3.7 and 15.5.6). */
function answerUnrouted(request: FastifyRequest, reply: FastifyReply, addresses: ReadonlySet<string>): void {
  if (!addresses.has(request.url.split(/[?#]/, 1)[0] ?? '')) {
    const detail =
      'The worker answers /health/live, /health/ready and /health/sf-events; what customers ask for is on the BFF.';
    sendProblem(request, reply, { status: 404, kind: 'not-found', detail });
    return;
  }
  reply.header('allow', METHODS);
  if (request.method === 'OPTIONS') void reply.status(204).send();
  else {
    const detail = `This address takes ${METHODS}.`;
    sendProblem(request, reply, { status: 405, kind: 'method-not-allowed', detail });
  }
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('www-authenticate', 'Bearer');
  return sendProblem(request, reply, {
    status: 401,
    kind: 'operator-only',
    title: 'For operators',
    detail:
      'Only operators see the state of the change events: send OPERATOR_TOKEN as a bearer token, or ask from an address of OPERATOR_ADDRESSES.',
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
