import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import jsforce from 'jsforce';
import { eventually } from '../../support/eventually.js';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';

interface WhmcsBody {
  readonly result: string;
  readonly message?: string;
  readonly status?: string;
  readonly invoices?: { readonly invoice: { readonly id: number; readonly total: string }[] };
  readonly items?: { readonly item: unknown[] };
  readonly products?: { readonly product: unknown[] };
  readonly paymethods?: { readonly type: string }[];
  readonly paymentmethods?: { readonly paymentmethod: unknown[] };
}

describe('signing in and billing', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let sandbox: Sandbox;

  beforeAll(async () => {
    const jwtPublicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString().replace(/\n/g, '\\n');
    sandbox = await startSandbox({ port: 0, latencyMs: 0, jwtPublicKey, sessionSeconds: 1 });
  });
  afterAll(() => sandbox.close());

  const assertion = (claims: { iss?: string; sub?: string; aud?: string; exp?: string }, key: KeyObject = privateKey) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(claims.iss ?? 'sandbox-client')
      .setSubject(claims.sub ?? sandbox.org.username)
      .setAudience(claims.aud ?? sandbox.url)
      .setExpirationTime(claims.exp ?? '3m')
      .sign(key);
  const authorize = async (jwt: string) => {
    const connection = new jsforce.Connection({ version: '67.0', oauth2: { loginUrl: sandbox.url } });
    await connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt });
    return connection;
  };

  it('takes a JWT bearer assertion that the registered key has signed', async () => {
    const connection = await authorize(await assertion({}));
    expect((await connection.query('SELECT Id FROM Organization')).totalSize).toBe(1);
  });

  it('refuses an assertion of another key, client, user or audience, or an expired one', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    await expect(authorize(await assertion({}, other))).rejects.toMatchObject({
      name: 'invalid_grant',
      message: 'invalid assertion',
    });
    await expect(authorize(await assertion({ iss: 'someone' }))).rejects.toMatchObject({ name: 'invalid_client_id' });
    await expect(authorize(await assertion({ sub: 'a@b' }))).rejects.toThrow("user hasn't approved this consumer");
    await expect(authorize(await assertion({ aud: 'https://elsewhere' }))).rejects.toThrow('audience is invalid');
    await expect(authorize(await assertion({ exp: '-1m' }))).rejects.toThrow('assertion is expired');
  });

  const token = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${sandbox.url}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams(form), headers });

  it('[D8] takes the client by HTTP Basic', async () => {
    const basic = (secret: string) => ({
      authorization: `Basic ${Buffer.from(`sandbox-client:${secret}`).toString('base64')}`,
    });
    const signedIn = await token({ grant_type: 'client_credentials' }, basic('sandbox-secret'));
    expect(await signedIn.json()).toMatchObject({ token_type: 'Bearer', instance_url: sandbox.url });
    const refused = await token({ grant_type: 'client_credentials', client_secret: 'sandbox-secret' }, basic('wrong'));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({ error: 'invalid_client', error_description: 'invalid client credentials' });
  });

  it('[D8] revokes a refresh token, and every session that it has given', async () => {
    const own = await startSandbox({ port: 0, latencyMs: 0 });
    try {
      const oauth2 = new jsforce.OAuth2({
        clientId: 'sandbox-client',
        clientSecret: 'sandbox-secret',
        loginUrl: own.url,
      });
      const { access_token: accessToken } = await oauth2.refreshToken('sandbox-refresh-token');
      const connection = new jsforce.Connection({ version: '67.0', instanceUrl: own.url, accessToken });
      expect((await connection.query('SELECT Id FROM Organization')).totalSize).toBe(1);
      const another = own.issueToken();
      await oauth2.revokeToken('sandbox-refresh-token');
      await expect(connection.query('SELECT Id FROM Organization')).rejects.toThrow('Session expired or invalid');
      await expect(oauth2.refreshToken('sandbox-refresh-token')).rejects.toMatchObject({
        name: 'invalid_grant',
        message: 'expired access/refresh token',
      });
      await expect(oauth2.revokeToken('sandbox-refresh-token')).rejects.toThrow();
      const headers = { authorization: `Bearer ${another}` };
      expect((await fetch(`${own.url}/services/data/v67.0/limits`, { headers })).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it('[D8] names where one would sign in, as clients of OpenID Connect ask of a discovery document', async () => {
    const discovered = (await (await fetch(`${sandbox.url}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >;
    expect(discovered['authorization_endpoint']).toBe(`${sandbox.url}/demo/authorize`);
    const page = await fetch(discovered['authorization_endpoint'] ?? '');
    expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('/demo/token/1')]);
  });

  it('lets a session run out', async () => {
    const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
    const status = async () => (await fetch(`${sandbox.url}/services/data/v67.0/limits`, { headers })).status;
    expect(await status()).toBe(200);
    await eventually(async () => (await status()) !== 200, { what: 'the end of the session' });
    expect(await status()).toBe(401);
  });

  it('gives a customer a token that its published key verifies', async () => {
    const token = await (await fetch(`${sandbox.url}/demo/token/2`)).text();
    const discovery = (await (await fetch(`${sandbox.url}/.well-known/openid-configuration`)).json()) as {
      issuer: string;
      jwks_uri: string;
    };
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwks_uri)), {
      issuer: discovery.issuer,
      audience: 'evergreen-portal',
    });
    expect(payload.sub).toBe('customer-2');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 3_600);
    expect((await fetch(`${sandbox.url}/demo/token/4`)).status).toBe(404);
  });

  const whmcs = async (parameters: Record<string, string>): Promise<{ status: number; body: WhmcsBody }> => {
    const body = new URLSearchParams({
      identifier: 'sandbox-identifier',
      secret: 'sandbox-secret',
      responsetype: 'json',
      ...parameters,
    });
    const response = await fetch(`${sandbox.url}/whmcs/includes/api.php`, { method: 'POST', body });
    return { status: response.status, body: (await response.json()) as WhmcsBody };
  };

  it('answers invoices, services and pay methods of a client in the shapes of WHMCS', async () => {
    const list = await whmcs({ action: 'GetInvoices', userid: '1001', orderby: 'date', order: 'desc', limitnum: '3' });
    expect(list.body).toMatchObject({ result: 'success', startnumber: 0, numreturned: 3 });
    const newest = list.body.invoices?.invoice[0];
    expect(newest).toMatchObject({ userid: 1001, total: expect.stringMatching(/^\d+\.\d\d$/), currencycode: 'JPY' });
    const one = await whmcs({ action: 'GetInvoice', invoiceid: String(newest?.id) });
    expect(one.body).toMatchObject({ invoiceid: String(newest?.id), total: newest?.total });
    expect(one.body.items?.item.length).toBeGreaterThan(0);
    const services = await whmcs({ action: 'GetClientsProducts', clientid: '1001' });
    expect(services.body.products?.product[0]).toMatchObject({ clientid: '1001', status: expect.any(String) });
    expect((await whmcs({ action: 'GetPayMethods', clientid: '1001' })).body.paymethods?.[0]?.type).toBe(
      'RemoteCreditCard',
    );
    expect((await whmcs({ action: 'GetPaymentMethods' })).body.paymentmethods?.paymentmethod).toHaveLength(3);
  });

  it('changes an invoice’s status, and the next answer shows it', async () => {
    const { body } = await whmcs({ action: 'GetInvoices', userid: '1002', limitnum: '1' });
    const invoiceid = String(body.invoices?.invoice[0]?.id);
    expect((await whmcs({ action: 'UpdateInvoice', invoiceid, status: 'Refunded' })).body.result).toBe('success');
    expect((await whmcs({ action: 'GetInvoice', invoiceid })).body.status).toBe('Refunded');
  });

  it('refuses wrong credentials with 403 and unknown things with an error', async () => {
    expect(await whmcs({ action: 'GetInvoices', secret: 'wrong' })).toEqual({
      status: 403,
      body: { result: 'error', message: 'Authentication Failed' },
    });
    expect((await whmcs({ action: 'GetInvoice', invoiceid: '1' })).body).toEqual({
      result: 'error',
      message: 'Invoice ID Not Found',
    });
    expect((await whmcs({ action: 'GetPayMethods', clientid: '1' })).body.message).toBe('Client ID Not Found');
    expect((await whmcs({ action: 'toString' })).body.message).toBe('Command Not Found');
  });

  it('refuses a fault that it does not know, and says what is wrong', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers,
      body: '{"fault":"drop-events"}',
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { problems: string[] }).problems[0]).toContain('count');
  });
});
