import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';
import { problemOfStatus } from '../problems/problem-of-error.js';

/** Options of the server with which neither Node nor Fastify answers a request by itself. */
export const NO_ANSWERS_OF_ITS_OWN = { http: { requireHostHeader: false }, return503OnClosing: false } as const;

/**
 * Answers what Node and Fastify would answer by themselves, without our headers, problem details and log line: 400 to
 * HTTP/1.1 without `Host`, 417 to an unknown `Expect`, 503 while the server closes. `100 Continue` is sent when
 * something begins to read the body, so a refused request gets its refusal alone. Call it after the hooks that set
 * headers and before those that judge the caller, with a server that has `NO_ANSWERS_OF_ITS_OWN`.
 */
export function answerForTheServer(instance: FastifyInstance): void {
  const unmet = expectationsOf(instance);
  let isClosing = false;
  instance
    .addHook('preClose', (done) => {
      isClosing = true;
      done();
    })
    .addHook('onRequest', (request, _reply, done) => {
      if (isClosing) done(ending());
      else if (!hasOneHost(request.raw)) done(hostMissing());
      else if (unmet.has(request.raw)) done(expectationFailed());
      else done();
    });
}

/** Lets each request with `Expect` into the hooks. Returns those that expect something else than 100. */
function expectationsOf({ server }: FastifyInstance): WeakSet<IncomingMessage> {
  const unmet = new WeakSet<IncomingMessage>();
  server
    .on('checkContinue', (request, response) => {
      // Node itself reads what is left of a body after the answer; then it is too late for 100.
      request.once('resume', () => {
        if (!response.headersSent) response.writeContinue();
      });
      server.emit('request', request, response);
    })
    .on('checkExpectation', (request, response) => {
      unmet.add(request);
      server.emit('request', request, response);
    });
  return unmet;
}

/** Whether a request names its host as HTTP/1.1 demands (RFC 9112, section 3.2); HTTP/1.0 demands nothing. */
function hasOneHost({ headers, httpVersion, rawHeaders }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion !== '1.1';
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'host') count += 1;
  return count === 1;
}

function hostMissing(): ProblemError {
  return new ProblemError(problemOfStatus(400, 'Send one Host header.'), { connection: 'close' });
}

function expectationFailed(): ProblemError {
  return new ProblemError(problemOfStatus(417, 'Of Expect, only 100-continue is known here.'));
}

function ending(): ProblemError {
  const detail = 'This process is ending. Send the request again.';
  return new ProblemError(problem(503, 'process-ending', 'The process is ending', detail, { retryAfterSeconds: 1 }));
}
