import type { BoundedHttp, HttpAnswer } from '@bff/infra/http/bounded-http';
import { HttpFaultError } from '@bff/infra/http/http-fault';
import { jsonOf } from '@bff/infra/http/json-body';
import { Masking } from '@bff/infra/logging/masking';
import { quotedText } from '@bff/infra/logging/quoted-text';
import { z } from 'zod';
import { checkedInstanceUrl } from '../connection/instance-url.js';
import { signAssertion } from './jwt-assertion.js';
import { errorOfFault, SalesforceError } from '../salesforce.errors.js';
import type { ResolvedSalesforceOptions } from '../salesforce.options.js';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Maximum size of an answer of the token endpoint; a usual one has about a kilobyte. */
const TOKEN_BYTES_MAX = 64 * 1024;

/** Maximum characters of the reason of a refusal, so that the advice behind it is not cut off. */
const REASON_LENGTH_MAX = 150;

/**
 * The token goes into a header, so only visible ASCII is accepted: wider than RFC 6750 section 2.1, because Salesforce
 * tokens contain `!`.
 */
const TOKEN = z.object({
  access_token: z.string().regex(/^[\x21-\x7E]{1,8192}$/),
  instance_url: z.string(),
  id: z.string(),
});
const REFUSAL = z.object({ error: z.string(), error_description: z.string().catch('') });

/** A sign-in's result: the token, the org's address and the identity. */
export interface SignedIn {
  readonly accessToken: string;
  readonly instanceUrl: string;
  /** The identity URL; its last two parts are the ids of the org and of the user. */
  readonly idUrl: string;
}

/**
 * Asks for a token once, and a second time if the first attempt fails before an answer begins. Rejects with
 * `SALESFORCE_AUTH_FAILED` if the token endpoint refuses, `SALESFORCE_LIMIT_EXCEEDED` after too many sign-ins,
 * `SALESFORCE_TIMEOUT`, `SALESFORCE_RESULT_TOO_LARGE`, or `SALESFORCE_UNAVAILABLE` if the endpoint cannot be reached or
 * fails, if the answer does not come from a token endpoint, or if `checkedInstanceUrl` refuses the instance. No message
 * quotes the request, or a page.
 */
export async function signIn(options: ResolvedSalesforceOptions, http: BoundedHttp): Promise<SignedIn> {
  const { loginUrl, requestTimeoutMs } = options;
  const answer = await http
    .ask({
      url: `${loginUrl}/services/oauth2/token`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(await grantOf(options)).toString(),
      isRead: true, // it may be sent twice: an extra token changes nothing
      timeoutMs: requestTimeoutMs,
      bytesMax: TOKEN_BYTES_MAX,
    })
    .catch((error: unknown) => {
      if (!(error instanceof HttpFaultError)) throw error;
      throw errorOfFault(error, `sign-in at ${loginUrl}`);
    });
  if (answer.status !== 200) throw refusalOf(answer, options);
  const token = TOKEN.safeParse(jsonOf(answer)?.value);
  if (!token.success) throw noTokenEndpoint(answer, loginUrl);
  const { access_token: accessToken, instance_url: instanceUrl, id: idUrl } = token.data;
  return { accessToken, instanceUrl: checkedInstanceUrl(instanceUrl, loginUrl), idUrl };
}

async function grantOf(options: ResolvedSalesforceOptions): Promise<Record<string, string>> {
  const { credentials, jwtAudience } = options;
  if (!('clientSecret' in credentials)) {
    // The JWT bearer grant sends the assertion only; its issuer is the client id.
    return { grant_type: JWT_BEARER, assertion: await signAssertion(credentials, jwtAudience) };
  }
  const { clientId, clientSecret } = credentials;
  return { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
}

function refusalOf(answer: HttpAnswer, { loginUrl, credentials }: ResolvedSalesforceOptions): SalesforceError {
  const { status } = answer;
  const operation = `sign-in at ${loginUrl}`;
  if (status >= 500) return new SalesforceError('SALESFORCE_UNAVAILABLE', `${operation} failed: HTTP ${status}`);
  if (status === 420 || status === 429) {
    return new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', `${operation} failed: HTTP ${status}, too many of them`);
  }
  const refusal = REFUSAL.safeParse(jsonOf(answer)?.value);
  if (!refusal.success) return noTokenEndpoint(answer, loginUrl);
  const { error, error_description: description } = refusal.data;
  // Salesforce's answers to an audience that the org does not accept (`app_not_found` since Spring '26).
  const isAudience = /audience|app_not_found/i.test(`${error} ${description}`);
  const advice = `check ${isAudience ? 'the audience of the JWT (SF_JWT_AUDIENCE), ' : ''}the client id, its secret or key, and the policies of the connected app`;
  const sent = 'clientSecret' in credentials ? [credentials.clientSecret] : [];
  const reason = quotedText(`${error}: ${description}`, REASON_LENGTH_MAX, new Masking(sent));
  const text = `${operation} was refused (${reason}); ${advice}`;
  return new SalesforceError('SALESFORCE_AUTH_FAILED', text, error);
}

function noTokenEndpoint({ status, headers }: HttpAnswer, loginUrl: string): SalesforceError {
  const what = /html/i.test(headers['content-type'] ?? '') ? 'a page of HTML' : 'something';
  return new SalesforceError(
    'SALESFORCE_UNAVAILABLE',
    `sign-in at ${loginUrl} failed: HTTP ${status} with ${what} that no token endpoint answers; check SF_LOGIN_URL`,
  );
}
