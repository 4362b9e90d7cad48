import type { FastifyInstance, FastifyReply } from 'fastify';
import { tokenOf } from '../oauth/sessions.js';
import { API_VERSIONS } from '../rest/api-versions.js';
import { messagesOf } from './bayeux.js';
import type { Cometd } from './cometd.js';

/** Maximum size of a request body in bytes (Streaming API guide, "Streaming API Limits"). */
const BODY_BYTES_MAX = 32_768;
/** The lowest version served; lower ones have another form of replay (streaming error "Unsupported API version"). */
const VERSION_MIN = 37;

/**
 * `/cometd/{version}`, by long polling only. Every GET is answered 400, also the one by which the faye client tries a
 * WebSocket.
 */
export function cometdRoutes(app: FastifyInstance, cometd: Cometd): void {
  app.get('/cometd/:version', (_request, reply) =>
    badRequest(reply, '400::This endpoint takes POST requests (long polling) only'),
  );
  app.post('/cometd/:version', { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const { version } = request.params as { version: string };
    if (!isServed(version)) {
      return badRequest(
        reply,
        `400::Unsupported API version. Only API versions '${VERSION_MIN}.0' and above are supported.`,
      );
    }
    const messages = messagesOf(request.body);
    if (messages === undefined) return badRequest(reply, '400::The body has to be a Bayeux message or a list of them');
    const credentials = { token: tokenOf(request.headers.authorization), cookies: request.headers.cookie ?? '' };
    const answer = cometd.receive(messages, credentials);
    reply.header('content-type', 'application/json;charset=UTF-8');
    if (answer.kind === 'held') {
      reply.raw.once('close', () => answer.abandon());
      const held = await answer.messages;
      if (held !== undefined) return reply.send(JSON.stringify(held));
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if (answer.cookie !== undefined) {
      reply.header('set-cookie', [
        `BAYEUX_BROWSER=${answer.cookie}; Path=/; HttpOnly`,
        'sfdc-stream=sandbox; Path=/; HttpOnly',
      ]);
    }
    // Held connects receive replayed events only after this answer is out, so that no event overtakes its subscription.
    reply.raw.once('finish', () => cometd.flush());
    return reply.send(JSON.stringify(answer.messages));
  });
}

function isServed(version: string): boolean {
  const number = Number(/^(\d+)\.0$/.exec(version)?.[1] ?? Number.NaN);
  return number >= VERSION_MIN && number <= API_VERSIONS.newest;
}

function badRequest(reply: FastifyReply, error: string): FastifyReply {
  return reply
    .code(400)
    .type('application/json;charset=UTF-8')
    .send(JSON.stringify([{ error, successful: false }]));
}
