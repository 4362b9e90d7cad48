import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemOfStatus } from '../problems/problem-of-error.js';
import { sendProblem } from '../problems/problem.filter.js';
import { requestPath } from './request-path.js';

/** The methods of the routes that have this pattern. */
interface Address {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Tells a wrong method from a wrong address: an address that has routes answers any other method with 405, and OPTIONS
 * with 204, both with the methods in `Allow` (RFC 9110, 9.3.7 and 15.5.6). OPTIONS grants no other site anything: there
 * is no CORS. Call it before routes are registered.
 */
export function answerOtherMethods(app: FastifyInstance): void {
  const addresses = new Map<string, Address>();
  app.addHook('onRoute', ({ url, method }) => {
    const address = addresses.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    addresses.set(url, address);
    for (const each of [method].flat()) address.methods.add(each);
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const methods = methodsAt(decodedPath(request.url), addresses.values());
    if (methods.length === 0) return done();
    answer(request, reply, [...methods, 'OPTIONS']);
  });
}

function answer(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): void {
  reply.header('allow', methods.join(', '));
  if (request.method === 'OPTIONS') void reply.status(204).send();
  else sendProblem(request, reply, problemOfStatus(405, `This address takes ${methods.join(', ')}.`));
}

function methodsAt(path: string, addresses: Iterable<Address>): string[] {
  const methods = [...addresses].filter(({ pattern }) => pattern.test(path)).flatMap((each) => [...each.methods]);
  return [...new Set(methods)].sort();
}

/** The decoded path, which the router has decoded as well. */
function decodedPath(url: string): string {
  const path = requestPath(url);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** Matches the paths of a route: a parameter (`:id`) is one part of a path. */
function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
