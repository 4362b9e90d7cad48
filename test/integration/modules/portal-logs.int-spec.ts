import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { Readiness } from '@bff/infra/health/readiness';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

type Line = Record<string, unknown> & { level: number; msg: string };

let portal: Portal;
const written: string[] = [];
const lines = (): Line[] => written.map((line) => JSON.parse(line) as Line);
const requests = () => lines().filter(({ msg }) => / in \d+ ms$/.test(msg));
const audits = () => lines().filter(({ audit }) => audit !== undefined);

beforeEach(async () => {
  portal = await Portal.open(
    { LOG_LEVEL: 'info', WHMCS_WEBHOOK_SECRET: 'x'.repeat(32) },
    { write: (line) => void written.push(line) },
  );
  written.length = 0;
});
afterEach(() => portal.close());

/** Our pseudonyms of a user and an account. */
function pseudonymsOf(user: string, account?: string): { subject: string; account?: string } {
  const pseudonyms = portal.app.get(Pseudonyms);
  return {
    subject: pseudonyms.of('subject', user),
    ...(account !== undefined && { account: pseudonyms.of('account', account) }),
  };
}

describe('the line of a request', () => {
  it('[C7] comes once, with our id beside the caller’s, and without tokens, queries or cookies', async () => {
    const secret = await portal.issuer.token('alice');
    const headers = { authorization: `Bearer ${secret}`, 'x-request-id': 'trace-42', cookie: 'session=hidden' };
    const answer = await portal.anonymous('/api/catalog/internet?region=East', headers);
    expect((await portal.anonymous('/nowhere')).statusCode).toBe(404);
    expect((await portal.anonymous('/%68ealth/live')).statusCode).toBe(200);
    await eventually(() => requests().length >= 2, { what: 'a line for each answer' });
    expect(requests()).toEqual([
      expect.objectContaining({
        requestId: answer.headers['x-request-id'],
        clientRequestId: 'trace-42',
        ...pseudonymsOf('alice', IDS.alice),
        msg: expect.stringMatching(/^GET \/api\/catalog\/:category 200 in/),
      }),
      expect.objectContaining({ level: 40, msg: expect.stringMatching(/^GET \/nowhere 404 in/) }),
    ]);
    expect(requests()[1]).not.toHaveProperty('subject');
    expect(written.join()).not.toMatch(new RegExp(`East|hidden|${secret.slice(-20)}`));
  });

  it('[N6] does not come when a probe is answered, with a 503 either, and comes for a health request that is refused', async () => {
    portal.app.get(Readiness).drain();
    expect((await portal.anonymous('/health/ready')).statusCode).toBe(503);
    expect((await portal.anonymous('/health/live')).statusCode).toBe(200);
    expect((await portal.anonymous('/health?x=1')).statusCode).toBe(400);
    await eventually(() => requests().length >= 1, { what: 'the line of the refusal' });
    expect(requests()).toEqual([
      expect.objectContaining({ level: 40, msg: expect.stringMatching(/^GET \/health 400 /) }),
    ]);
    expect(lines().filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('[C7] names the route, and of other addresses words alone', async () => {
    await portal.get('alice', `/api/orders/${IDS.aliceOrder}`);
    await portal.anonymous(`/reset/${await portal.issuer.token('alice')}?x`);
    await portal.anonymous('http://x/u/alice%40example.org/abcdef0123456789');
    await eventually(() => requests().length >= 3, { what: 'a line for each answer' });
    expect(requests().map(({ msg }) => msg.replace(/ in \d+ ms$/, ''))).toEqual([
      'GET /api/orders/:id 200',
      'GET /reset/[…] 404',
      'GET /u/[…]/[…] 404',
    ]);
  });
});

describe('every line that a request causes', () => {
  it('[C7] has the pseudonyms of its caller, and hides what a source says', async () => {
    const echoed = `MALFORMED_QUERY: FROM Order WHERE AccountId = '${IDS.alice}' Bearer 00D5g000000abcd!AQ0AQPx.zq_3k9LhRwT7`;
    portal.org.failure = new SalesforceError('SALESFORCE_TIMEOUT', 'query failed', undefined, {
      cause: new Error('outer', { cause: new Error(echoed) }),
    });
    const answer = await portal.get('alice', '/api/orders'); // the mapping fails, so the account is not known
    portal.org.failure = undefined;
    await portal.get('alice', '/api/invoices');
    expect(answer.statusCode).toBe(504);
    const failure = lines().find(({ msg }) => msg.startsWith('answered 504'));
    expect(failure).toMatchObject({
      requestId: answer.headers['x-request-id'],
      ...pseudonymsOf('alice'),
      msg: "answered 504 SALESFORCE_TIMEOUT: query failed: outer: MALFORMED_QUERY: FROM Order WHERE AccountId = '…' Bearer [session]",
    });
    await eventually(() => requests().length >= 2, { what: 'a line for each answer' });
    expect(requests().map(({ subject, account }) => ({ subject, account }))).toEqual([
      { ...pseudonymsOf('alice'), account: undefined },
      pseudonymsOf('alice', IDS.alice),
    ]);
    expect(written.join('')).not.toMatch(new RegExp(`"alice"|${IDS.alice}|00D5g`));
  });
});

describe('an audit event', () => {
  it('[C7] tells why a token was refused, in our words', async () => {
    const expired = await portal.issuer.token('alice', { expiresAt: Math.floor(Date.now() / 1_000) - 60 });
    const answers = [
      await portal.anonymous('/api/orders'),
      await portal.anonymous('/api/orders', { authorization: `Bearer ${expired}` }),
      await portal.anonymous('/api/orders', { authorization: 'Basic YWxpY2U6c2VjcmV0' }),
    ];
    const reasons = ['no token', 'it has expired', 'the authorization header must be: Bearer <token>'];
    expect(audits()).toEqual(
      reasons.map((reason, n) =>
        expect.objectContaining({
          level: 40,
          audit: 'access.denied',
          msg: 'access.denied',
          reason,
          requestId: answers[n]?.headers['x-request-id'],
        }),
      ),
    );
    expect(written.join('')).not.toContain('YWxpY2U6c2VjcmV0');
  });

  it('[C7] names a user without an account, and a webhook that nobody signed', async () => {
    await portal.get('nobody@example.org', '/api/orders');
    await portal.app.inject({
      method: 'POST',
      url: '/webhooks/whmcs',
      headers: { 'content-type': 'application/json' },
      payload: '{}',
    });
    expect(audits()).toEqual([
      expect.objectContaining({ level: 40, audit: 'account.not-linked', ...pseudonymsOf('nobody@example.org') }),
      expect.objectContaining({ level: 40, audit: 'webhook.refused', reason: expect.stringContaining('timestamp') }),
    ]);
    expect(written.join('')).not.toContain('nobody@');
  });

  it('[C7] tells of each order, placed or refused, and of a limit that was reached', async () => {
    await portal.close();
    portal = await Portal.open(
      { LOG_LEVEL: 'info', LIMIT_WRITES: '2/60' },
      { write: (line) => void written.push(line) },
    );
    written.length = 0;
    const order = (productId: string) => portal.post('alice', '/api/orders', { items: [{ productId, quantity: 1 }] });
    const placed = await order(IDS.fibre);
    const answers = [await order(IDS.aliceOrder), await order(IDS.fibre)];
    expect([placed, ...answers].map(({ statusCode }) => statusCode)).toEqual([201, 422, 429]);
    const caller = pseudonymsOf('alice', IDS.alice);
    expect(audits()).toEqual([
      expect.objectContaining({ level: 30, audit: 'order.placed', order: placed.json().id, ...caller }),
      expect.objectContaining({ level: 40, audit: 'order.refused', reason: 'ORDER_PRODUCT_NOT_SOLD', ...caller }),
      expect.objectContaining({ level: 40, audit: 'rate.limited', policy: 'write', ...caller }),
    ]);
  });

  it('[C7] tells why Salesforce refused an order, which the answer does not', async () => {
    const refusal = 'FIELD_CUSTOM_VALIDATION_EXCEPTION';
    const said = `${refusal}: The account is blocked, ask bob@example.org`;
    portal.org.writeDelay = () =>
      Promise.reject(new SalesforceError('SALESFORCE_BAD_REQUEST', `composite was rolled back: ${said}`, refusal));
    const order = (lines: number) =>
      portal.post('alice', '/api/orders', { items: Array(lines).fill({ productId: IDS.fibre, quantity: 1 }) });
    const one = await order(1);
    portal.org.writeDelay = () => Promise.resolve();
    portal.org.composite = () =>
      Promise.resolve([
        { id: IDS.aliceOrder, success: true },
        [
          { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK', message: 'rolled back' }] },
          { success: false, errors: [{ statusCode: refusal, message: 'One of each, please', fields: [] }] },
        ],
      ]);
    const many = await order(30);
    expect([one, many].map(({ statusCode }) => statusCode)).toEqual([422, 422]);
    expect(one.body + many.body).not.toMatch(/blocked|please/);
    const reasons = lines().filter(({ msg }) => msg.startsWith('answered 422 ORDER_REFUSED: '));
    expect(reasons.map(({ requestId, msg }) => [requestId, msg.replace(/^.*quote the request id: /, '')])).toEqual([
      [one.headers['x-request-id'], `composite was rolled back: ${refusal}: The account is blocked, ask [e-mail]`],
      [many.headers['x-request-id'], `an item was refused: ${refusal}: One of each, please`],
    ]);
  });
});
