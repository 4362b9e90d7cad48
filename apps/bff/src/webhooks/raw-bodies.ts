import type { FastifyInstance } from 'fastify';

const WEBHOOKS = '/webhooks/';

/**
 * Passes the JSON bodies of webhooks on as raw bytes, because the signature covers the bytes and is checked before
 * parsing. The bodies of all other routes are parsed as before.
 */
export function keepWebhookBodies(instance: FastifyInstance): void {
  const parseJson = instance.getDefaultJsonParser('error', 'error');
  instance.removeContentTypeParser('application/json');
  instance.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(WEBHOOKS)) done(null, body);
    else void parseJson(request, body.toString('utf8'), done);
  });
}
