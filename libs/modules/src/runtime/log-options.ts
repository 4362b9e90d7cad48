import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { currentCaller } from '@bff/infra/callers/caller';
import { errorRecord } from '@bff/infra/logging/error-record';
import { maskedLine } from '@bff/infra/logging/log-line';
import { maskedPath } from '@bff/infra/logging/masked-path';
import { Masking } from '@bff/infra/logging/masking';
import { notesOf } from '@bff/infra/logging/request-notes';
import type { RequestLines } from '@bff/infra/logging/request-lines';
import type { AppConfig } from '../config/app-config.js';
import type { Params } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** The form of a request id that a caller may give; any other is not repeated. */
const REQUEST_ID = /^[A-Za-z0-9._~+/=-]{1,128}$/;

const requestIds = new WeakMap<IncomingMessage, string>();

/** Our own id of a request. No caller chooses it, so no two requests share one. */
export function requestId(request: IncomingMessage): string {
  const known = requestIds.get(request);
  if (known !== undefined) return known;
  const id = randomUUID();
  requestIds.set(request, id);
  return id;
}

/** The caller's `x-request-id` if it is well formed. */
export function clientRequestId({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}

/**
 * Structured logs: JSON lines in production, readable lines elsewhere. Every line passes the one place that masks
 * (`maskedLine`). Each request is logged once, when it is answered or broken off, with our id and its caller's
 * pseudonyms; answers of health, good or bad, refusals that the audit has told, and requests that the caller broke off
 * only at `debug`. `lines` bounds failures, and all that nobody known asks for. No query, no id in a path, and no header
 * except a well-formed `x-request-id` is ever logged. `destination` replaces standard output.
 */
export function logOptions({ app, secrets }: AppConfig, lines: RequestLines, destination?: DestinationStream): Params {
  const masking = new Masking(secrets);
  const options = {
    name: app.name,
    level: app.logLevel,
    hooks: { streamWrite: (line: string) => maskedLine(line, masking) },
    mixin: () => ({ ...currentCaller() }),
    wrapSerializers: false,
    serializers: {
      req: () => undefined, // the message says what may be said
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
      err: (error: unknown) => errorRecord(error, masking),
    },
    genReqId: requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
    // The library asks once for each request, when its answer has ended.
    customLogLevel: (request: IncomingMessage, response: ServerResponse, error?: Error) =>
      boundedLevel(lines, request, response, error),
    customSuccessObject: lineOf,
    customErrorObject: (request: IncomingMessage, response: ServerResponse, _error: Error, line: Timed) =>
      lineOf(request, response, line),
    customSuccessMessage: messageOf,
    // The library passes the time here, too, which its type does not say.
    customErrorMessage: (request: IncomingMessage, response: ServerResponse, _error: Error, responseTime?: number) =>
      messageOf(request, response, responseTime ?? 0),
  };
  const isForPeople = app.environment !== 'production';
  const stream =
    destination ??
    (isForPeople ? PinoPretty({ sync: true, singleLine: true, ignore: 'pid,hostname,name' }) : undefined);
  // The library's own default route does not match under Fastify, so nothing would be logged.
  return { pinoHttp: stream ? [options, stream] : options, forRoutes: ['/{*splat}'] };
}

interface Timed {
  readonly responseTime: number;
}

/** The level of the line of a request; `silent` if it was counted, because its caller has caused too many like it. */
function boundedLevel(lines: RequestLines, request: IncomingMessage, response: ServerResponse, error?: Error) {
  const level = levelOf(request, response, error);
  const { caller } = notesOf(request);
  if (level === 'debug' || (level === 'info' && caller !== undefined)) return level;
  return lines.take(`${response.statusCode}`, caller) ? level : ('silent' as const);
}

function levelOf(request: IncomingMessage, response: ServerResponse, error?: Error) {
  const isQuiet = isAborted(response) || isAnswerOfHealth(request, response) || notesOf(request).isAudited;
  if (isQuiet) return 'debug' as const;
  if (error || response.statusCode >= 500) return 'error' as const;
  if (response.statusCode >= 400) return 'warn' as const;
  return 'info' as const;
}

/** Whether health has answered. A 503 is an answer: while a process drains, its probes get no other. */
function isAnswerOfHealth(request: IncomingMessage, { statusCode }: ServerResponse): boolean {
  return notesOf(request).route?.startsWith('/health') === true && (statusCode < 400 || statusCode === 503);
}

/** Omits the error that the library makes up for every 5xx: the real one was logged where it was answered. */
function lineOf(request: IncomingMessage, res: ServerResponse, { responseTime }: Timed): object {
  return { clientRequestId: clientRequestId(request), ...notesOf(request).caller, res, responseTime };
}

function messageOf(request: IncomingMessage, response: ServerResponse, responseTime: number): string {
  const what = `${request.method} ${notesOf(request).route ?? maskedPath(targetOf(request))}`;
  return isAborted(response)
    ? `${what} aborted after ${responseTime} ms`
    : `${what} ${response.statusCode} in ${responseTime} ms`;
}

/** The target as the caller sent it: middleware may see a part of it as `url`. */
function targetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '';
}

/** Whether the caller went away before anything was answered. Its status then says nothing. */
function isAborted(response: ServerResponse): boolean {
  return !response.headersSent && !response.writableEnded;
}
