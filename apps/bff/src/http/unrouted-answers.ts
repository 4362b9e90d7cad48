import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { maskedPath } from '@bff/infra/logging/masked-path';
import type { RequestLines } from '@bff/infra/logging/request-lines';
import { clientRequestId } from '@bff/modules/runtime/log-options';
import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOfStatus } from '../problems/problem-of-error.js';
import { sendProblem } from '../problems/problem.filter.js';

/** Status for requests that Node's HTTP parser gave up on, by error code; 400 for the rest. */
const UNREADABLE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };
/** The form of an error code of Node; nothing else of such an error is logged. */
const CODE = /^[A-Z][A-Z0-9_]{0,49}$/;

/** The headers that protect a browser that shows the answer; on every other answer, hooks set them. */
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

const logger = new Logger('http');

/** Answers requests that no route can be looked for, and input that is no request. Their lines in the log are bounded. */
export class UnroutedAnswers {
  /** Set when the application is made, which is before it listens. */
  lines: RequestLines | undefined;

  /** Answers a request that was refused before its route was known, such as one whose path cannot be decoded. */
  readonly unrouted = (error: { statusCode?: number }, request: FastifyRequest, reply: FastifyReply): void => {
    const statusCode = error.statusCode ?? 400;
    const clientId = clientRequestId(request.raw);
    reply.headers({ ...HEADERS, ...(clientId !== undefined && { 'x-client-request-id': clientId }) });
    if (this.lines?.take(`unrouted ${statusCode}`, undefined)) {
      const line = { requestId: request.id, clientRequestId: clientId, res: { statusCode } };
      logger.warn(line, `${request.method} ${maskedPath(request.url)} ${statusCode}: no route can be looked for`);
    }
    sendProblem(request, reply, problemOfStatus(statusCode, 'The address of the request cannot be read.'));
  };

  /**
   * Answers on the bare connection, because unreadable input yields neither a request nor a reply, and closes it. A
   * connection that the client has broken off gets no answer.
   */
  readonly unreadable = (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable) sendUnreadable(error.code ?? '', socket, this.lines);
    socket.destroy(error);
  };
}

function sendUnreadable(code: string, socket: Socket, lines: RequestLines | undefined): void {
  const statusCode = UNREADABLE[code] ?? 400;
  const requestId = randomUUID();
  const body = JSON.stringify({ ...problemOfStatus(statusCode, 'The request cannot be read.'), requestId });
  const head = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`,
    'content-type: application/problem+json; charset=utf-8',
    ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
    `x-request-id: ${requestId}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  const reason = CODE.test(code) ? code : 'without a code';
  // A connection that is opened ahead and never used ends like this as well.
  const level = socket.bytesRead === 0 ? 'debug' : 'warn';
  if (level === 'warn' && !lines?.take(`unreadable ${statusCode}`, undefined)) return;
  logger[level]({ requestId, res: { statusCode } }, `unreadable request ${statusCode}: ${reason}`);
}
