import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** An answer other than the requested one, of the form that the BFF's problems have (RFC 9457). */
export interface WorkerProblem {
  readonly status: number;
  readonly kind: string;
  /** @default the words of the status */
  readonly title?: string;
  readonly detail: string;
}

/** Status for requests that Node's HTTP parser gave up on, by error code; 400 for the rest. */
const UNREADABLE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Sends a problem with the request's address (without its query) and id. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: WorkerProblem): FastifyReply {
  const instance = request.url.split(/[?#]/, 1)[0];
  return reply
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-request-id', request.id)
    .send(JSON.stringify({ ...bodyOf(problem), instance, requestId: request.id }));
}

/** The problem of a request that failed: its fault if it is the caller's, and nothing of the error if it is ours. */
export function problemOf({ statusCode = 500 }: Partial<FastifyError>): WorkerProblem {
  if (statusCode < 500) {
    const kind = titleOf(statusCode)
      .toLowerCase()
      .replace(/[^a-z]+/g, '-');
    return { status: statusCode, kind, detail: 'The request cannot be read.' };
  }
  const detail = 'Something went wrong on our side. Quote the request id when you report this.';
  return { status: 500, kind: 'internal-error', detail };
}

/** Answers on the bare connection what Node cannot read as a request, and closes it, unless the client has done so. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = problemOf({ statusCode: UNREADABLE[error.code ?? ''] ?? 400 });
  const body = JSON.stringify(bodyOf(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json; charset=utf-8',
    'cache-control: no-store',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}

function bodyOf({ status, kind, title = titleOf(status), detail }: WorkerProblem): object {
  return { type: `urn:evergreen:problem:${kind}`, title, status, detail };
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}
