import type { FastifyInstance } from 'fastify';
import { CUSTOMERS, type TokenIssuer } from './token-issuer.js';

/**
 * The portal's identity provider: discovery, keys, and customers' tokens without a sign-in.
 * @param issuerUrl the `iss` of the tokens, known once the server listens
 */
export function issuerRoutes(app: FastifyInstance, issuer: TokenIssuer, issuerUrl: () => string): void {
  app.get('/demo/token/:n', async (request, reply) => {
    const { n } = request.params as { n: string };
    reply.type('text/plain');
    if (!/^\d$/.test(n) || Number(n) < 1 || Number(n) > CUSTOMERS) {
      return reply
        .code(404)
        .send(`There is no customer ${n.slice(0, 20)}: ask for /demo/token/1, /demo/token/2 or /demo/token/3.\n`);
    }
    return reply.send(await issuer.token(issuerUrl(), Number(n)));
  });
  app.get('/demo/authorize', (_request, reply) =>
    reply
      .code(400)
      .type('text/plain')
      .send('Nobody signs in here: take a token from /demo/token/1, /demo/token/2 or /demo/token/3.\n'),
  );
  app.get('/.well-known/jwks.json', () => ({ keys: [issuer.publicJwk] }));
  app.get('/.well-known/openid-configuration', () => ({
    issuer: issuerUrl(),
    // A client may refuse a document without it (OpenID Connect Discovery 1.0, 3).
    authorization_endpoint: `${issuerUrl()}/demo/authorize`,
    jwks_uri: `${issuerUrl()}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'name'],
  }));
}
