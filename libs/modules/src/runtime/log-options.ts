import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppConfig } from '../config/app-config.js';
import type { Params } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** The form of an acceptable request id; any other is not repeated in the logs. */
const REQUEST_ID = /^[A-Za-z0-9._~+/=-]{1,128}$/;

const requestIds = new WeakMap<IncomingMessage, string>();

/** The caller's `x-request-id` if it is well formed, else a new one; stable for one request. */
export function requestId(request: IncomingMessage): string {
  const known = requestIds.get(request);
  if (known !== undefined) return known;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  requestIds.set(request, id);
  return id;
}

/**
 * Structured logs: JSON lines in production, readable lines elsewhere. Each request is logged once, when it is
 * answered, with its id. Headers, which hold credentials, are never logged, and successful health requests and requests
 * that the caller broke off only at `debug`. `destination` replaces standard output.
 */
export function logOptions({ app }: AppConfig, destination?: DestinationStream): Params {
  const options = {
    name: app.name,
    level: app.logLevel,
    // The messages say the rest; headers hold credentials.
    serializers: { res: ({ statusCode }: { statusCode: number }) => ({ statusCode }) },
    redact: { paths: ['req.headers.authorization', 'req.headers.cookie'], censor: '[redacted]' },
    genReqId: requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
    customLogLevel: (request: IncomingMessage, response: ServerResponse, error?: Error) => {
      if (isAborted(response)) return 'debug' as const;
      if (error || response.statusCode >= 500) return 'error' as const;
      if (response.statusCode >= 400) return 'warn' as const;
      return request.url?.startsWith('/health') ? ('debug' as const) : ('info' as const);
    },
    // Omits the error that the library makes up for every 5xx: the real one was logged where it was answered.
    customErrorObject: (_request: IncomingMessage, res: unknown, _error: Error, line: { responseTime: number }) => ({
      res,
      responseTime: line.responseTime,
    }),
    customSuccessMessage: (request: IncomingMessage, response: ServerResponse, responseTime: number) =>
      isAborted(response)
        ? `${request.method} ${pathOf(request)} aborted after ${responseTime} ms`
        : `${request.method} ${pathOf(request)} ${response.statusCode} in ${responseTime} ms`,
    customErrorMessage: (request: IncomingMessage, response: { statusCode: number }) =>
      `${request.method} ${pathOf(request)} ${response.statusCode}`,
  };
  const isForPeople = app.environment !== 'production';
  const stream =
    destination ??
    (isForPeople ? PinoPretty({ sync: true, singleLine: true, ignore: 'pid,hostname,name' }) : undefined);
  // The library's own default route does not match under Fastify, so nothing would be logged.
  return { pinoHttp: stream ? [options, stream] : options, forRoutes: ['/{*splat}'] };
}

/** Whether the caller went away before anything was answered. Its status then says nothing. */
function isAborted(response: ServerResponse): boolean {
  return !response.headersSent && !response.writableEnded;
}

/** The path of the request without its query, which may hold confidential values. */
function pathOf(request: IncomingMessage): string {
  const url = (request as IncomingMessage & { originalUrl?: string }).originalUrl ?? request.url ?? '';
  return url.split('?', 1)[0] as string;
}
