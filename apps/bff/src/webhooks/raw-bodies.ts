import type { FastifyInstance } from 'fastify';
import { markRoute } from '../http/route-marks.js';

/**
 * Marks a route that receives its JSON body as raw bytes, because a signature covers the bytes and is checked before
 * parsing.
 */
export const RawBody = (): ClassDecorator & MethodDecorator => markRoute({ keepsRawBody: true });

/**
 * Passes the JSON bodies of `@RawBody()` routes on as they came. The bodies of all other routes are parsed as before.
 */
export function keepRawBodies(instance: FastifyInstance): void {
  const parseJson = instance.getDefaultJsonParser('error', 'error');
  instance.removeContentTypeParser('application/json');
  instance.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.routeOptions.config.keepsRawBody) done(null, body);
    else void parseJson(request, body.toString('utf8'), done);
  });
}
