import { createHmac, randomUUID } from 'node:crypto';
import { NotAcknowledgedError } from '@bff/infra/cache/cache.errors';
import { CacheService } from '@bff/infra/cache/cache.service';
import type { WhmcsInvoiceDetail } from '@bff/integrations/whmcs/whmcs.types';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { NotifiedPortal } from './support/notified-portal.js';

const SECRET = 'a-secret-of-at-least-32-characters';
const ENV = { WHMCS_WEBHOOK_SECRET: SECRET };
const ALICE = 11;

interface Sent {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** A message as the documented hook sends it. */
function signed(message: object | string, given: { secret?: string; seconds?: number } = {}): Sent {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  const timestamp = String(given.seconds ?? Math.floor(Date.now() / 1000));
  const hmac = createHmac('sha256', given.secret ?? SECRET).update(`${timestamp}.${body}`);
  const signature = `v1=${hmac.digest('hex')}`;
  const headers = { 'x-evergreen-timestamp': timestamp, 'x-evergreen-signature': signature };
  return { body, headers: { 'content-type': 'application/json', ...headers } };
}

const invoiceChanged = () => ({ id: randomUUID(), event: 'invoice.changed', clientId: ALICE, invoiceId: 501 });

describe.each([
  { name: 'embedded', start: () => NotifiedPortal.embedded(ENV) },
  { name: 'Redis, two BFFs', start: () => NotifiedPortal.onRedis(ENV) },
])('POST /webhooks/whmcs: $name', ({ start }) => {
  let portal: NotifiedPortal;
  beforeAll(async () => {
    portal = await start();
  });
  afterAll(() => portal.close());

  const send = async ({ body, headers }: Sent, bff = 0) => {
    const answer = await fetch(`${portal.bffs[bff]?.url}/webhooks/whmcs`, { method: 'POST', headers, body });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  /** Reads these paths as Alice; returns how many calls to WHMCS that causes. */
  const asked = async (...paths: string[]) => {
    const before = portal.billing.calls;
    for (const path of paths) await portal.get('alice', path, portal.last);
    return portal.billing.calls - before;
  };
  const invoices = ['/api/invoices', '/api/invoices/501'];

  it('[P27] drops list and item everywhere before it answers, and tells the client’s users alone', async () => {
    const [alice, bob] = [await portal.listen('alice', portal.last), await portal.listen('bob')];
    await asked(...invoices);
    expect(await asked(...invoices)).toBe(0);
    const index = portal.billing.details.findIndex(({ id }) => id === 501);
    portal.billing.details[index] = { ...(portal.billing.details[index] as WhmcsInvoiceDetail), status: 'Paid' };
    expect(await send(signed(invoiceChanged()))).toMatchObject({ status: 204, body: undefined });
    for (const bff of portal.bffs.keys()) {
      expect(await portal.get('alice', '/api/invoices', bff)).toMatchObject([{ id: 501, status: 'Paid' }]);
      expect(await portal.get('alice', '/api/invoices/501', bff)).toMatchObject({ status: 'Paid' });
    }
    expect(await alice.next('billing.changed')).toMatchObject({ data: { at: expect.any(String) } });
    expect(bob.names).toEqual(['ready']);
  });

  it.each([
    ['service.changed', { serviceId: 7 }, ['/api/subscriptions'], ['/api/invoices', '/api/payment-methods']],
    ['payment-methods.changed', {}, ['/api/payment-methods'], ['/api/invoices', '/api/subscriptions']],
    ['client.changed', {}, ['/api/invoices', '/api/subscriptions', '/api/payment-methods'], []],
  ])('%s drops what it names and nothing else', async (event, ids, dropped, kept) => {
    await asked(...dropped, ...kept);
    expect((await send(signed({ id: randomUUID(), event, clientId: ALICE, ...ids }))).status).toBe(204);
    expect(await asked(...kept)).toBe(0);
    expect(await asked(...dropped)).toBe(dropped.length);
  });

  it('takes what is signed as it came, to the byte', async () => {
    const spaced = JSON.stringify(invoiceChanged(), null, 3);
    expect((await send(signed(`  ${spaced}\n`))).status).toBe(204);
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each([
    ['another secret', () => signed(invoiceChanged(), { secret: `${SECRET}x` })],
    ['another body', () => ({ ...signed(invoiceChanged()), body: JSON.stringify(invoiceChanged()) })],
    ['another time', () => withHeader(signed(invoiceChanged()), 'x-evergreen-timestamp', String(now() - 1))],
    ['an old time', () => signed(invoiceChanged(), { seconds: now() - 302 })],
    ['a time to come', () => signed(invoiceChanged(), { seconds: now() + 302 })],
    ['no signature', () => withHeader(signed(invoiceChanged()), 'x-evergreen-signature')],
    ['half a signature', () => withHeader(signed(invoiceChanged()), 'x-evergreen-signature', 'v1=00')],
    ['no time', () => withHeader(signed(invoiceChanged()), 'x-evergreen-timestamp')],
    ['text for a time', () => withHeader(signed(invoiceChanged()), 'x-evergreen-timestamp', 'now')],
    ['no body', () => ({ ...signed(invoiceChanged()), body: '' })],
  ])('refuses %s, and drops nothing', async (_, sent) => {
    await asked(...invoices);
    const answer = await send(sent());
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer).toMatchObject({ status: 401, body: { type: 'urn:evergreen:problem:webhook-not-signed' } });
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
    expect(await asked(...invoices)).toBe(0);
  });

  it('takes a message once, in whichever process, however many come at once', async () => {
    const sent = signed(invoiceChanged());
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => send(sent, i % portal.bffs.length)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 9 }, () => 409)]);
    await asked(...invoices);
    expect(await send(sent, portal.last)).toMatchObject({
      status: 409,
      body: { type: 'urn:evergreen:problem:webhook-repeated' },
    });
    expect(await asked(...invoices)).toBe(0);
  });

  it.each([
    ['an unknown event', { ...invoiceChanged(), event: 'invoice.paid' }, /event/],
    ['an id as text', { ...invoiceChanged(), invoiceId: '501' }, /^body\.invoiceId: must be a number$/],
    ['an id of nothing', { ...invoiceChanged(), clientId: 0 }, /^body\.clientId: must be at least 1$/],
    ['no client', { id: randomUUID(), event: 'invoice.changed', invoiceId: 501 }, /^body\.clientId: is missing$/],
    ['no message id', { event: 'client.changed', clientId: ALICE }, /^body\.id: is missing$/],
    ['a field too many', { ...invoiceChanged(), status: 'Paid' }, /not known here: status$/],
    ['a list', [invoiceChanged()], /^body: /],
    ['no JSON', '{"id":', /not valid JSON/],
  ])('answers %s with what is wrong', async (_, message, detail) => {
    const answer = await send(signed(message));
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringMatching(detail) } });
  });

  it('takes JSON only, of a bounded size, and no other method', async () => {
    const sent = signed(invoiceChanged());
    expect((await send(withHeader(sent, 'content-type', 'text/plain'))).status).toBe(415);
    expect((await send(signed({ ...invoiceChanged(), more: 'x'.repeat(70_000) }))).status).toBe(413);
    expect((await fetch(`${portal.bffs[0]?.url}/webhooks/whmcs`)).status).toBe(405);
  });
});

describe('POST /webhooks/whmcs', () => {
  let portal: NotifiedPortal;
  afterEach(() => portal.close());
  const send = ({ body, headers }: Sent) =>
    fetch(`${portal.bffs[0]?.url}/webhooks/whmcs`, { method: 'POST', headers, body });

  it('is not there without a secret', async () => {
    portal = await NotifiedPortal.embedded();
    const answer = await send(signed(invoiceChanged()));
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
      404,
      'There is nothing at this address.',
    ]);
  });

  it('says when to come back if the invalidation was not acknowledged, and takes the same message then', async () => {
    portal = await NotifiedPortal.embedded(ENV);
    const cache = portal.bffs[0]?.app.get(CacheService) as CacheService;
    const invalidate = cache.invalidate.bind(cache);
    cache.invalidate = () => Promise.reject(new NotAcknowledgedError('invalidate'));
    const alice = await portal.listen('alice');
    const sent = signed(invoiceChanged());
    const answer = await send(sent);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(alice.names).toEqual(['ready']);
    cache.invalidate = invalidate;
    expect((await send(sent)).status).toBe(204);
    await alice.next('billing.changed');
  });

  it('does so while Redis is away', async () => {
    portal = await NotifiedPortal.onRedis({ ...ENV, REDIS_COMMAND_TIMEOUT_MS: '200' });
    await portal.redis?.kill();
    const answer = await send(signed(invoiceChanged()));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    await portal.redis?.restart();
    await eventually(async () => (await send(signed(invoiceChanged()))).status === 204, { withinMs: 15_000 });
  });
});

/** The same message with one header changed, or without it. */
function withHeader({ body, headers }: Sent, name: string, value?: string): Sent {
  const { [name]: _, ...others } = headers;
  return { body, headers: value === undefined ? others : { ...others, [name]: value } };
}
