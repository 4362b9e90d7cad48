import { currentCaller } from '@bff/infra/callers/caller';
import { Audit } from '@bff/infra/logging/audit';
import { messageWithCauses } from '@bff/infra/logging/error-record';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { noteRequest, notesOf } from '@bff/infra/logging/request-notes';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { requestPath } from '../http/request-path.js';
import { ProblemError, type Problem } from './problem.js';
import { problemOfError } from './problem-of-error.js';
import { refusalOf, type Refusal } from './refusals.js';

/**
 * Answers every error of every route, and every request without a route, with problem details. A health report of
 * something that is down is passed on as it is. An upload that its sender broke off is not answered, nor is a request
 * whose answer is already on its way. Every refusal and every limit becomes an event of the audit here, except those of
 * orders.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(
    private readonly audit: Audit,
    private readonly lines: RequestLines,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    // The sender went away before its body had come. Nobody hears an answer, and the request's line tells it.
    if (error !== null && error === request.raw.errored) return;
    const found = problemOfError(error);
    const refusal = refusalOf(error, found);
    if (refusal) this.record(refusal, request);
    else if (found.status >= 500 || isRefusalWithCause(error, found)) this.log(error, found);
    if (reply.sent) return;
    if (isHealthReport(error)) {
      void reply.status(error.getStatus()).send(error.getResponse());
      return;
    }
    if (error instanceof ProblemError) reply.headers(error.headers);
    sendProblem(request, reply, found);
  }

  private record({ event, detail }: Refusal, { raw, method }: FastifyRequest): void {
    noteRequest(raw, { isAudited: true });
    this.audit.record(event, { ...detail, route: `${method} ${notesOf(raw).route}` });
  }

  /** Logs a bug with its stack, and an expected failure, such as a source that is away or refuses, in one line. */
  private log(error: unknown, { status, code, type }: Problem): void {
    if (!this.lines.take(`answered ${status} ${code ?? type}`, currentCaller())) return;
    if (code === undefined && !(error instanceof ProblemError)) {
      this.logger.error({ err: error }, `answered ${status}`);
      return;
    }
    this.logger.warn(`answered ${status} ${code ?? type}: ${messageWithCauses(error)}`);
  }
}

/** Sends a problem with the request's address (without its query) and id. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  { retryAfterSeconds, ...found }: Problem,
): void {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  void reply
    .status(found.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-request-id', request.id)
    .send(JSON.stringify({ ...found, instance: requestPath(request.url), requestId: request.id }));
}

/** Whether the answer tells the caller a code alone, and the words of the source that refused are for the log. */
function isRefusalWithCause(error: unknown, { code }: Problem): boolean {
  return code !== undefined && error instanceof Error && !(error instanceof ProblemError) && error.cause !== undefined;
}

/** Whether this is the report that Terminus throws when something is down; it is an answer, not a problem. */
function isHealthReport(error: unknown): error is HttpException {
  if (!(error instanceof HttpException)) return false;
  const response = error.getResponse();
  return typeof response === 'object' && 'details' in response && 'status' in response;
}
