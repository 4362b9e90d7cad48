import helmet from '@fastify/helmet';
import type { AppConfig } from '@bff/modules/config/app-config';
import { Readiness } from '@bff/infra/health/readiness';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { noteRequest } from '@bff/infra/logging/request-notes';
import { clientRequestId, requestId } from '@bff/modules/runtime/log-options';
import { NotFoundException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.js';
import { AccountGate } from './auth/account-gate.js';
import { answerOtherMethods } from './http/allowed-methods.js';
import { answerForTheServer, NO_ANSWERS_OF_ITS_OWN } from './http/server-answers.js';
import { UnroutedAnswers } from './http/unrouted-answers.js';
import { LimitGate } from './limits/limit-gate.js';
import { keepRawBodies } from './webhooks/raw-bodies.js';

/**
 * Maximum length of a path part that is a parameter of a route; ids are the longest. A longer one is answered with 414.
 */
const PATH_PART_LENGTH_MAX = 200;
/** How long a request may take to arrive. Then it is aborted with 408, so that slow senders do not hold connections. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Accepts JSON bodies alone: no route reads forms or text, so those get a 415 without being read. */
class JsonAdapter extends FastifyAdapter {
  constructor(
    options: FastifyServerOptions,
    readonly unrouted: UnroutedAnswers,
  ) {
    super(options);
  }

  /**
   * Nest's own version adds parsers for JSON and forms. This one removes Fastify's parser for text and replaces the one
   * for JSON, so that there is none for forms.
   */
  override registerParserMiddleware(): void {
    this.getInstance().removeContentTypeParser('text/plain');
    keepRawBodies(this.getInstance());
  }
}

/**
 * The limits of the HTTP server, and how it handles requests before any route; for the app, and for tests that compose
 * their own.
 */
export function createAdapter({ http }: AppConfig): FastifyAdapter {
  const answers = new UnroutedAnswers();
  const options = {
    bodyLimit: http.bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: requestId,
    routerOptions: { maxParamLength: PATH_PART_LENGTH_MAX },
    frameworkErrors: answers.unrouted,
    clientErrorHandler: answers.unreadable,
    ...NO_ANSWERS_OF_ITS_OWN,
  };
  return new JsonAdapter(options, answers);
}

/**
 * Adds headers to the answers: security, the request's id, and, unless the route says otherwise, that nobody keeps
 * them; while this process drains, `connection: close`. Then judges each request before its body is read: whether its
 * address exists and takes its method, its token, and the limits of its caller.
 */
export async function configureApp(app: NestFastifyApplication): Promise<void> {
  const adapter = app.getHttpAdapter();
  if (adapter instanceof JsonAdapter) adapter.unrouted.lines = app.get(RequestLines);
  await adapter.init?.(); // Nest's middleware comes first: the logger, so that refused requests are logged as well
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  const instance: FastifyInstance = adapter.getInstance();
  const bodyLimit = instance.initialConfig.bodyLimit ?? 0;
  instance
    .addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id);
      const clientId = clientRequestId(request.raw);
      if (clientId !== undefined) reply.header('x-client-request-id', clientId);
      noteRequest(request.raw, { route: request.routeOptions.url });
      // By the route, not by the address, which can be written in several ways.
      const isPublic = request.is404 || request.routeOptions.config.isPublic;
      reply.header('cache-control', isPublic ? 'no-store' : 'private, no-store');
      done();
    })
    .addHook('onSend', (request, reply, payload, done) => {
      // A connection that stays open would delay the end of the process until its keep-alive time is over.
      const isDraining = app.get(Readiness).current === 'draining';
      if (isDraining || isTooMuchToDiscard(request, bodyLimit)) reply.header('connection', 'close');
      done(null, payload);
    });
  answerForTheServer(instance);
  answerOtherMethods(instance);
  instance.addHook('onRequest', (request, _reply, done) =>
    done(isNowhere(request) ? new NotFoundException() : undefined),
  );
  app.get(LimitGate).watch(instance);
  app.get(AccountGate).guard(instance);
  app.get(LimitGate).guard(instance);
}

/** Whether an address has no route. One that ends where a parameter would begin, such as `/api/orders/`, has none. */
function isNowhere({ is404, params }: FastifyRequest): boolean {
  return is404 || Object.values(params as Record<string, string>).includes('');
}

/**
 * Whether a request is answered before all of its body has come, and the body is larger than a body may be, or of
 * unknown size. Node reads to the end of a body that nobody wants, to use the connection again.
 */
function isTooMuchToDiscard({ raw, headers }: FastifyRequest, bodyLimitBytes: number): boolean {
  if (raw.complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > bodyLimitBytes;
}

/** The whole application, not yet listening. Close it with `app.close()`. */
export async function createApp(config: AppConfig): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forConfig(config), createAdapter(config), {
    bufferLogs: true,
  });
  app.useLogger(app.get(Logger));
  app.flushLogs();
  await configureApp(app);
  return app;
}
