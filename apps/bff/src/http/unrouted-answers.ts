import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOfStatus } from '../problems/problem-of-error.js';
import { sendProblem } from '../problems/problem.filter.js';

/** Status for requests that Node's HTTP parser gave up on, by error code; 400 for the rest. */
const UNREADABLE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** The headers that protect a browser that shows the answer; on every other answer, hooks set them. */
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

/** Answers a request that was refused before its route was known, such as one whose path cannot be decoded. */
export function answerUnrouted(error: { statusCode?: number }, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(HEADERS);
  sendProblem(request, reply, problemOfStatus(error.statusCode ?? 400, 'The address of the request cannot be read.'));
}

/**
 * Answers on the bare connection, because unreadable input yields neither a request nor a reply, and closes it. A
 * connection that the client has broken off gets no answer.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = UNREADABLE[error.code ?? ''] ?? 400;
  const body = JSON.stringify(problemOfStatus(status, 'The request cannot be read.'));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
