import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { baseUrl } from '../oauth/oauth.routes.js';
import { tokenOf, type Sessions } from '../oauth/sessions.js';
import { notFound, SalesforceFault } from '../org/org.errors.js';
import type { Latency } from '../admin/latency.js';
import type { Org } from '../org/org.js';
import type { ApiAnswer } from './api-call.js';
import { listedVersions, versionNumber } from './api-versions.js';
import { resourcePath } from './resource-path.js';
import type { RestApi } from './rest-api.js';

/**
 * Bounds for the records in one page; the maximum applies unless the client asks for fewer
 * (`Sforce-Query-Options: batchSize=200`).
 */
const BATCH_SIZE = { min: 200, max: 2_000 };

/** Maximum nesting of a body. The deepest that is valid, an sObject tree of five levels, nests 16 brackets. */
const NESTING_MAX = 50;

/** The parts that the REST routes use. */
export interface RestContext {
  readonly org: Org;
  readonly sessions: Sessions;
  readonly api: RestApi;
  readonly usage: { used: number; readonly max: number };
  readonly latency: Latency;
}

/** `/services/data/**`: sessions, versions, limits, JSON and errors around `RestApi`. */
export function restRoutes(app: FastifyInstance, context: RestContext): void {
  // The sandbox parses bodies itself, so that broken JSON gives Salesforce's error instead of the framework's.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => answerError(error, reply));
  app.setNotFoundHandler((_request, reply) => answerError(notFound(), reply));
  app.get('/services/data', () => listedVersions());
  app.all('/services/data/:version', (request, reply) => answer(request, reply, context));
  app.all('/services/data/:version/*', (request, reply) => answer(request, reply, context));
}

async function answer(request: FastifyRequest, reply: FastifyReply, context: RestContext): Promise<FastifyReply> {
  const token = tokenOf(request.headers.authorization);
  if (token === undefined || !context.sessions.isValid(token)) {
    throw new SalesforceFault(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
  }
  const { usage } = context;
  if (usage.used >= usage.max)
    throw new SalesforceFault(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  usage.used++;
  reply.header('sforce-limit-info', `api-usage=${usage.used}/${usage.max}`);
  await context.latency.half('rest');
  const answered = handle(request, context);
  await context.latency.half('rest');
  reply.code(answered.status).headers({ ...answered.headers, 'content-type': 'application/json;charset=UTF-8' });
  return reply.send(answered.body === undefined ? undefined : JSON.stringify(answered.body));
}

function handle(request: FastifyRequest, { org, api }: RestContext): ApiAnswer {
  const resource = resourcePath(request.url);
  if (resource === undefined) throw notFound();
  versionNumber(resource.version);
  const call = {
    ...resource,
    baseUrl: baseUrl(request),
    method: methodOf(request, resource.query),
    body: parsedBody(request.body),
    batchSize: batchSizeOf(request.headers['sforce-query-options']),
  };
  const origin = originOf(request, resource.version);
  return org.transaction((transaction) => api.handle({ ...call, transaction }), { origin });
}

/**
 * The method of the call. A POST may name another one, as in `_HttpMethod=PATCH`, for clients that cannot send a PATCH
 * (REST API guide, "Update a Record").
 */
function methodOf(request: FastifyRequest, query: URLSearchParams): string {
  const meant = query.get('_HttpMethod');
  return request.method === 'POST' && meant !== null ? meant.toUpperCase() : request.method;
}

/** The origin that the events of this call carry: `com/salesforce/api/rest/67.0;client=…`. */
function originOf(request: FastifyRequest, version: string): string {
  const options = request.headers['sforce-call-options'];
  const client = /client=([^,;]+)/.exec(typeof options === 'string' ? options : '')?.[1]?.trim();
  return `com/salesforce/api/rest/${version.slice(1)}${client === undefined ? '' : `;client=${client}`}`;
}

function parsedBody(body: unknown): unknown {
  if (typeof body !== 'string' || body.trim() === '') return undefined;
  if (nestingOf(body) > NESTING_MAX) {
    throw new SalesforceFault(400, 'JSON_PARSER_ERROR', `The body is nested deeper than ${NESTING_MAX} levels`);
  }
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new SalesforceFault(400, 'JSON_PARSER_ERROR', `The body is not JSON: ${(error as Error).message}`);
  }
}

/** The nesting of brackets outside strings, checked before any code walks the body recursively. */
function nestingOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

function batchSizeOf(header: string | string[] | undefined): number {
  const asked = Number(/batchSize=(\d+)/i.exec(String(header ?? ''))?.[1] ?? BATCH_SIZE.max);
  return Math.min(BATCH_SIZE.max, Math.max(BATCH_SIZE.min, asked));
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  reply.type('application/json;charset=UTF-8');
  if (error instanceof SalesforceFault) return reply.code(error.status).send(JSON.stringify(error.body()));
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status === 413)
    return reply
      .code(413)
      .send(JSON.stringify([{ errorCode: 'REQUEST_ENTITY_TOO_LARGE', message: 'The body is too large' }]));
  const message = error instanceof Error ? error.message : String(error);
  return reply
    .code(status)
    .send(JSON.stringify([{ errorCode: status < 500 ? 'INVALID_INPUT' : 'UNKNOWN_EXCEPTION', message }]));
}
