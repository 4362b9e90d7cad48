import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OwnNames } from './own-names.js';

/**
 * Headers of every answer: it is shown in no frame, read by no other site, and nothing in it is guessed to be code. The
 * page brings a policy of its own that lets its script run.
 */
export const SAFE_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

/** Where a browser says that a request comes from (Fetch Metadata); `none`: the person typed the address. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/**
 * Refuses, before anything else looks at it, what a page of another site makes a browser send: a `Host` that is not
 * ours with 421, and another origin with 403 (a link to the sandbox may be followed). Every route is covered, those
 * with credentials too, because the credentials of the sandbox are published. Programs name no origin; that of another
 * site cannot be left out by a browser where it matters (Fetch, 3.2, "Origin header").
 */
export function refuseForeign(app: FastifyInstance, names: OwnNames): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SAFE_HEADERS);
    if (!names.include(request.headers.host, request.socket.localAddress)) {
      const message = `The sandbox is not called ${JSON.stringify(request.headers.host?.slice(0, 100) ?? '')}. If it should be, name the host in SANDBOX_ALLOWED_HOSTS.`;
      return reply.code(421).send({ message });
    }
    if (isForeign(request)) {
      const message = 'The sandbox takes nothing from the page of another site: use its own page, or a program.';
      return reply.code(403).send({ message });
    }
    return undefined;
  });
}

function isForeign({ method, headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase())) return true;
  const site = headers['sec-fetch-site'];
  if (site === undefined || OWN_SITES.has(String(site))) return false;
  const isFollowedLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !(method === 'GET' && isFollowedLink);
}

/** Takes forms only in this scope, whose parameters are texts. */
export function takeFormsOnly(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/json', 'text/plain']);
}

/**
 * Takes JSON only in this scope. A form is what the page of another site can send without asking; JSON needs a
 * permission (CORS) that the sandbox never gives.
 */
export function takeJsonOnly(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain']);
}

/**
 * Refuses in this scope a parameter, of the query or the form, that is given more than once: which of them counts is
 * not defined (of OAuth, RFC 6749, 3.2 says so). `answer` makes the body of the refusal from its text.
 */
export function refuseRepeated(app: FastifyInstance, answer: (message: string) => Record<string, unknown>): void {
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    for (const parameters of [request.query, request.body]) {
      const [repeated] = Object.entries(parameters ?? {}).find(([, value]) => Array.isArray(value)) ?? [];
      if (repeated === undefined) continue;
      return reply.code(400).send(answer(`the parameter ${repeated.slice(0, 80)} is given more than once`));
    }
    return undefined;
  });
}
