import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TokenIssuer, AUDIENCE } from '../integration/modules/support/token-issuer.js';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { AppProcess } from './support/app-process.js';
import { freePort } from '../support/free-port.js';

const SESSION = '00D5g000000abcd!AQ0AQPx.zq_3k9LhRwT7Yb2mNcVdEfGhIjKl';
const ACCOUNT = toSalesforceId('0015g00000AbCdE');
const SUBJECT = 'alice.liddell@example.org';
const secrets = {
  REDIS_PASSWORD: 'hunter-of-redis',
  CACHE_ENCRYPTION_KEYS: Buffer.from('hunter-key-of-exactly-32-bytes!!').toString('base64'),
  PSEUDONYM_KEY: Buffer.from('hunter-key-of-pseudonyms-32-byte').toString('base64'),
  SF_CLIENT_SECRET: 'hunter of clients&"',
  WHMCS_API_IDENTIFIER: 'hunter-of-identifiers',
  WHMCS_API_SECRET: 'hunter+of/secrets',
  WHMCS_WEBHOOK_SECRET: 'hunter-of-webhooks-with-32-letters',
};

let issuer: TokenIssuer;
let source: Server;
let redis: RedisServer;
let bff: AppProcess;
let url: string;

beforeAll(async () => {
  issuer = await TokenIssuer.start();
  source = createServer((request, response) => {
    void textOf(request).then((body) =>
      response.writeHead(statusOf(request), { 'content-type': 'application/json' }).end(answerOf(request, body)),
    );
  });
  source.listen(0, '127.0.0.1');
  await once(source, 'listening');
  redis = await startRedisServer({ args: ['--requirepass', secrets.REDIS_PASSWORD] });
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  const { CACHE_ENCRYPTION_KEYS: key, REDIS_PASSWORD: password, ...others } = secrets;
  bff = AppProcess.start('bff', {
    ...others,
    PORT: port,
    LOG_LEVEL: 'trace',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CRASH)}`,
    REDIS_URL: redis.url.replace('redis://', `redis://default:${password}@`),
    CACHE_ENCRYPTION_KEYS: `first:${key}`,
    SF_LOGIN_URL: sourceUrl(),
    SF_CLIENT_ID: 'client',
    SF_EVENTS_ENABLED: 'false',
    WHMCS_API_URL: `${sourceUrl()}/whmcs`,
    AUTH_ISSUER: issuer.url,
    AUTH_AUDIENCE: AUDIENCE,
    AUTH_JWKS_URL: `${issuer.url}/jwks.json`,
  });
  await bff.isReadyAt(`${url}/health/ready`);
});
afterAll(async () => {
  await bff.stop();
  await redis.stop();
  source.closeAllConnections();
  source.close();
  await issuer.stop();
});

const sourceUrl = () => `http://127.0.0.1:${(source.address() as AddressInfo).port}`;

/** At this signal the process meets an error that nothing handles, and that holds what it knows. */
const CRASH = `process.on('SIGUSR2', () => {
  const error = new Error('crashed at https://a:hunter-of-redis@host with hunter+of/secrets', {
    cause: new Error('${SESSION} ' + process.env.SF_CLIENT_SECRET),
  });
  throw Object.assign(error, { command: { args: [process.env.PSEUDONYM_KEY] } });
});`;

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}

function statusOf({ url: path = '' }: IncomingMessage): number {
  return path.includes('/oauth2/token') ||
    path.includes('FROM+Account') ||
    path.includes('FROM%20Account') ||
    path.startsWith('/whmcs')
    ? 200
    : 400;
}

/** A source that knows the user's account, and repeats in its errors whatever it was sent. */
function answerOf(request: IncomingMessage, body: string): string {
  const path = request.url ?? '';
  if (path.includes('/oauth2/token')) {
    return JSON.stringify({
      access_token: SESSION,
      instance_url: sourceUrl(),
      token_type: 'Bearer',
      id: `${sourceUrl()}/id/00D/005`,
      issued_at: '1',
    });
  }
  const echo = `${request.method} ${path} ${decodeURIComponent(path.replaceAll('+', ' '))} ${JSON.stringify(request.headers)} ${body}`;
  if (path.startsWith('/whmcs'))
    return JSON.stringify({ result: 'error', message: `Invalid request ${echo} ${decodeURIComponent(body)}` });
  if (statusOf(request) === 400) return JSON.stringify([{ errorCode: 'MALFORMED_QUERY', message: echo }]);
  const attributes = { type: 'Account', url: `/services/data/v60.0/sobjects/Account/${ACCOUNT}` };
  return JSON.stringify({
    totalSize: 1,
    done: true,
    records: [{ attributes, Id: ACCOUNT, Portal_User_Id__c: SUBJECT, WHMCS_Client_Id__c: '4711' }],
  });
}

it('[C7] a whole process writes no secret, no token, and no name of a customer, whatever it meets', async () => {
  const token = await issuer.token(SUBJECT);
  const authorization = `Bearer ${token}`;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      headers: { authorization, 'x-request-id': token.slice(0, 100), cookie: `session=${token}`, ...headers },
    });
  const statuses = [
    await get(`/api/orders?access_token=${token}`),
    await get('/api/orders'),
    await get('/api/invoices'),
    await get(`/nowhere/${token}/${SESSION}`),
    await get(`/api/orders/${token}`),
    await get('/api/orders', { authorization: `Bearer ${token.slice(0, -4)}AAAA` }),
    await get('/api/orders', { authorization: 'Basic aHVudGVyOnNlY3JldA==' }),
    await fetch(`${url}/webhooks/whmcs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(secrets),
    }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([400, 502, 502, 404, 414, 401, 401, 401]);
  await redis.stop();
  await eventually(() => bff.output.includes('Redis is away'), { what: 'the outage in the log' });
  bff.signal('SIGUSR2');
  expect(await bff.exit()).toBe(1);

  // The failures, their causes and the crash are in the output, so there was something to hide.
  expect(bff.output).toMatch(/answered 502 SALESFORCE_\w+: .*MALFORMED_QUERY/);
  expect(bff.output).toMatch(/answered 502 WHMCS_\w+: .*Invalid request/);
  expect(bff.output).toContain('GET /nowhere/[…]/[…] 404');
  expect(bff.output).toContain('access.denied');
  expect(bff.output).toContain('crashed at https://****@host with [secret]');
  const parts = [
    SESSION,
    SESSION.split('!')[1] as string,
    ACCOUNT,
    SUBJECT,
    encodeURIComponent(SUBJECT),
    '4711',
    'aHVudGVyOnNlY3JldA',
  ];
  const forms = Object.values(secrets).flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
  ]);
  for (const hidden of [...parts, ...forms, ...token.split('.').slice(1)]) expect(bff.output).not.toContain(hidden);
  expect(bff.output).not.toContain('hunter');
});
