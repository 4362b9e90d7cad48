import type { KeyObject } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Org } from '../org/org.js';
import { AssertionRefused, checkAssertion } from './jwt-bearer.js';
import { RefreshGrant } from './refresh-grant.js';
import { tokenOf, type Sessions } from './sessions.js';

/** The client id of the sandbox's connected app. */
export const CLIENT_ID = 'sandbox-client';
/** The connected app's secret. It is public, because it guards only made-up data on the local machine. */
export const CLIENT_SECRET = 'sandbox-secret';

/** The integration user's password, for the `password` grant. */
export const PASSWORD = 'sandbox-password';

/** The parts that the OAuth endpoints use. */
export interface OAuthContext {
  readonly org: Org;
  readonly sessions: Sessions;
  /** Verifies JWT bearer assertions; undefined refuses that grant. */
  readonly jwtPublicKey: KeyObject | undefined;
  /**
   * The only audience that an assertion may name; undefined allows the request's own URL, login.salesforce.com and
   * test.salesforce.com.
   */
  readonly jwtAudience: string | undefined;
}

type Form = Readonly<Record<string, string | undefined>>;

/** `/services/oauth2/token`, `userinfo`, `revoke` and the identity URL, as Salesforce answers them. */
export function oauthRoutes(app: FastifyInstance, context: OAuthContext): void {
  const refresh = new RefreshGrant(context.sessions);
  app.post('/services/oauth2/token', async (request, reply) => {
    const form = withBasic((request.body ?? {}) as Form, request.headers.authorization);
    try {
      await checkGrant(form, baseUrl(request), context, refresh);
    } catch (error) {
      if (!(error instanceof AssertionRefused) && !(error instanceof GrantRefused)) throw error;
      return reply.code(400).send({ error: error.error, error_description: error.message });
    }
    const isRefresh = form['grant_type'] === 'refresh_token';
    return tokenAnswer(request, context, isRefresh ? refresh.issue() : context.sessions.issue());
  });
  app.route({
    method: ['GET', 'POST'],
    url: '/services/oauth2/userinfo',
    handler: (request, reply) => identity(request, reply, context),
  });
  app.get('/id/:organizationId/:userId', (request, reply) => identity(request, reply, context));
  app.route({
    method: ['GET', 'POST'],
    url: '/services/oauth2/revoke',
    handler: (request, reply) => {
      const { token } = { ...(request.query as Form), ...(request.body as Form | undefined) };
      if (token !== undefined && (context.sessions.revoke(token) || refresh.revoke(token))) return reply.send();
      return reply.code(400).send({ error: 'invalid_token', error_description: 'invalid token' });
    },
  });
}

/** The address under which this request reached the sandbox: the instance URL that its client can use again. */
export function baseUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

class GrantRefused extends Error {
  constructor(
    readonly error: string,
    description: string,
  ) {
    super(description);
  }
}

/**
 * The form, with the client's id and secret from the `Authorization` header if they came by HTTP Basic (RFC 6749,
 * 2.3.1).
 */
function withBasic(form: Form, authorization: string | undefined): Form {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return form;
  const [clientId = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { ...form, client_id: decoded(clientId), client_secret: decoded(secret.join(':')) };
}

function decoded(text: string): string {
  return new URLSearchParams(`text=${text.replaceAll('&', '%26')}`).get('text') ?? '';
}

async function checkGrant(form: Form, url: string, context: OAuthContext, refresh: RefreshGrant): Promise<void> {
  switch (form['grant_type']) {
    case 'client_credentials':
      return checkClient(form);
    case 'password':
      checkClient(form);
      if (form['username'] === context.org.username && form['password'] === PASSWORD) return;
      throw new GrantRefused('invalid_grant', 'authentication failure');
    case 'refresh_token':
      checkClient(form);
      if (refresh.isValid(form['refresh_token'])) return;
      throw new GrantRefused('invalid_grant', 'expired access/refresh token');
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer': {
      const ofAnyOrg = [url, 'https://login.salesforce.com', 'https://test.salesforce.com'];
      const audiences = context.jwtAudience === undefined ? ofAnyOrg : [context.jwtAudience];
      const rules = { clientId: CLIENT_ID, username: context.org.username, audiences };
      await checkAssertion(form['assertion'] ?? '', context.jwtPublicKey, rules);
      return;
    }
    default:
      throw new GrantRefused('unsupported_grant_type', 'grant type not supported');
  }
}

function checkClient(form: Form): void {
  if (form['client_id'] !== CLIENT_ID) throw new GrantRefused('invalid_client_id', 'client identifier invalid');
  if (form['client_secret'] !== CLIENT_SECRET) throw new GrantRefused('invalid_client', 'invalid client credentials');
}

function tokenAnswer(request: FastifyRequest, { org }: OAuthContext, accessToken: string): Record<string, string> {
  const url = baseUrl(request);
  return {
    access_token: accessToken,
    signature: Buffer.from(`${org.organizationId}${Date.now()}`).toString('base64'),
    scope: 'api',
    instance_url: url,
    id: `${url}/id/${org.organizationId}/${org.userId}`,
    token_type: 'Bearer',
    issued_at: String(Date.now()),
  };
}

function identity(request: FastifyRequest, reply: FastifyReply, { org, sessions }: OAuthContext): FastifyReply {
  const token = tokenOf(request.headers.authorization);
  if (token === undefined || !sessions.isValid(token))
    return reply.code(403).type('text/plain').send('Bad_OAuth_Token');
  const url = baseUrl(request);
  const id = `${url}/id/${org.organizationId}/${org.userId}`;
  return reply.send({
    sub: id,
    id,
    user_id: org.userId,
    organization_id: org.organizationId,
    username: org.username,
    preferred_username: org.username,
    name: 'Integration User',
    display_name: 'Integration User',
    email: org.username,
    email_verified: true,
    active: true,
    user_type: 'STANDARD',
    urls: {
      rest: `${url}/services/data/v{version}/`,
      sobjects: `${url}/services/data/v{version}/sobjects/`,
      query: `${url}/services/data/v{version}/query/`,
    },
  });
}
