import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';

const TOKEN = randomBytes(32).toString('hex');
/** Neither this machine nor an operator's. */
const STRANGER = '203.0.113.9';
const DETAILS = ['/health/orders/cache', '/health/catalog/cache', '/health/billing/cache', '/health/mapping/cache', '/health/sf-events']; // prettier-ignore

let portal: Portal;
beforeEach(async () => {
  portal = await Portal.open({ OPERATOR_TOKEN: TOKEN, OPERATOR_ADDRESSES: '10.1.0.0/16' });
  await eventually(async () => (await asked('/health/sf-events', TOKEN)).json().status === 'up', {
    what: 'every feed is followed',
  });
});
afterEach(() => portal.close());

async function asked(url: string, token?: string, headers = {}, remoteAddress = STRANGER) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return portal.app.inject({ method: 'GET', url, remoteAddress, headers: { ...authorization, ...headers } });
}

describe('health, asked by a stranger', () => {
  it('[C11] tells the status and nothing else', async () => {
    expect((await asked('/health')).json()).toEqual({ status: 'ok' });
    expect((await asked('/health/live')).json()).toEqual({ status: 'up' });
    expect((await asked('/health/ready')).json()).toEqual({ status: 'ready' });
    for (const url of DETAILS) {
      const answer = await asked(url);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers).toMatchObject({
        'content-type': expect.stringContaining('application/problem+json'),
        'www-authenticate': 'Bearer',
        'cache-control': expect.stringContaining('no-store'),
      });
      expect(answer.json()).toMatchObject({ type: 'urn:evergreen:problem:operator-only', instance: url });
      expect(answer.json().detail).toMatch(/OPERATOR_TOKEN.*OPERATOR_ADDRESSES/);
      expect(answer.body).not.toMatch(/replay|leader|Order"|:\d{3,}:/i);
    }
  });

  it('[C11] believes no header, no customer, and no token that is nearly right', async () => {
    const forwarded = { 'x-forwarded-for': '10.1.2.3', 'x-real-ip': '127.0.0.1', forwarded: 'for=10.1.2.3' };
    const customer = await portal.issuer.token('alice');
    for (const [token, headers] of [[undefined, forwarded], [customer, {}], [TOKEN.slice(1), {}], [`${TOKEN}0`, {}]] as const) {
      expect((await asked('/health/sf-events', token, headers)).statusCode).toBe(401);
      expect((await asked('/health', token, headers)).json()).toEqual({ status: 'ok' });
    }
  }); // prettier-ignore

  it('[C11] says that something is wrong, not what', async () => {
    portal.org.refusal = 'invalid_client_id';
    await eventually(async () => (await asked('/health')).json().status === 'degraded', { what: 'the fault shows' });
    expect((await asked('/health')).json()).toEqual({ status: 'degraded' });
  });

  it('[C11] costs no more however many ask', async () => {
    const before = portal.org.usageAsked;
    await Promise.all(Array.from({ length: 100 }, () => asked('/health')));
    expect(portal.org.usageAsked - before).toBeLessThan(20);
  });
});

describe('health, asked by an operator', () => {
  it.each([
    ['with the token', () => ['/x', TOKEN, {}, STRANGER] as const],
    ['from an address of his', () => ['/x', undefined, {}, '10.1.2.3'] as const],
    ['from there over IPv6', () => ['/x', 'wrong', {}, '::ffff:10.1.2.3'] as const],
  ])('[C11] tells everything, %s', async (_how, who) => {
    const [, token, headers, address] = who();
    const ask = (url: string) => asked(url, token, headers, address);
    expect((await ask('/health')).json()).toMatchObject({ status: 'ok', details: { store: { kind: 'memory' } } });
    for (const url of DETAILS) expect((await ask(url)).statusCode).toBe(200);
    expect((await ask('/health/sf-events')).json().topics.length).toBeGreaterThan(3);
  });

  it('[N9] shows how the mapping of users to accounts is cached', async () => {
    await portal.get('alice', '/api/orders');
    const { metrics, ttl } = (await asked('/health/mapping/cache', TOKEN)).json();
    expect(metrics.userId).toMatchObject({ misses: 1 });
    expect(ttl).toEqual({ userIdSeconds: null });
  });

  it('[N9] answers a question for another cache with the names of those that there are', async () => {
    const answer = await asked('/health/bills/cache', TOKEN);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({
      type: 'urn:evergreen:problem:cache-not-found',
      detail: expect.stringMatching(/^The caches are: billing, (.+, )?catalog, mapping, orders\.$/),
    });
  });

  it('[N9] shows one fault once, with the topics that have it', async () => {
    portal.events.trouble = { state: 'lost', lastError: 'UNAVAILABLE: 14 no connection' };
    await eventually(async () => (await asked('/health', TOKEN)).json().status === 'degraded', {
      what: 'the loss shows',
    });
    const { body } = await asked('/health', TOKEN);
    expect(body.split('UNAVAILABLE: 14 no connection')).toHaveLength(2);
    expect(body).toMatch(/\/data\/OrderChangeEvent, .*\/event\/Account_Eligibility_Update__e.* are lost/);
    const { reason } = (await asked('/health/sf-events', TOKEN)).json();
    expect(reason.split('UNAVAILABLE')).toHaveLength(2);
  });

  it('[N9] names credentials that Salesforce refuses, and stays ready: what is cached is still served', async () => {
    portal.org.refusal = 'the sign-in was refused (invalid_client_id)';
    expect((await asked('/health', TOKEN)).json()).toMatchObject({
      status: 'degraded',
      info: { salesforce: { status: 'degraded' } },
      details: {
        salesforce: { status: 'degraded', reason: expect.stringMatching(/^sign-in refused: .*invalid_client_id/) },
      },
    });
    expect((await asked('/health/ready')).statusCode).toBe(200);
  });

  it.each(['salesforce', 'whmcs'] as const)(
    '[N9] names a %s whose calls fail, by our code, and stays ready',
    async (name) => {
      const source = name === 'salesforce' ? portal.org : portal.billing;
      const [lastSuccessAt, since] = [Date.now() - 60_000, Date.now() - 30_000];
      const lastFailure = { at: Date.now() - 7_000, code: 'SOURCE_UNAVAILABLE' };
      source.record = { lastSuccessAt, lastFailure, failing: { since, count: 23 } };
      const { status, info, details } = (await asked('/health', TOKEN)).json();
      expect([status, info[name]]).toEqual(['degraded', { status: 'degraded' }]);
      const reason = new RegExp(
        `^no call has succeeded since ${new Date(since).toISOString()}: 23 have failed, the newest [78] s ago with SOURCE_UNAVAILABLE$`,
      );
      const times = {
        lastSuccessAt: new Date(lastSuccessAt).toISOString(),
        lastFailureAt: new Date(lastFailure.at).toISOString(),
        lastFailureCode: 'SOURCE_UNAVAILABLE',
      };
      expect(details[name]).toEqual({ status: 'degraded', reason: expect.stringMatching(reason), ...times });
      expect((await asked('/health/ready')).statusCode).toBe(200);
      source.record = { lastSuccessAt, lastFailure };
      const after = (await asked('/health', TOKEN)).json();
      expect([after.status, after.details[name]]).toEqual(['ok', { status: 'up', ...times }]);
    },
  );

  it('[N9] writes every time as ISO 8601', async () => {
    portal.billing.record = { lastSuccessAt: Date.now(), lastFailure: { at: Date.now(), code: 'SOURCE_UNAVAILABLE' } };
    portal.events.trouble = { lastEventAt: Date.now(), lastKeepAliveAt: Date.now(), lastCommitTimestamp: Date.now() };
    for (const url of ['/health', ...DETAILS]) {
      const numbers: string[] = [];
      JSON.parse((await asked(url, TOKEN)).body, (name, value: unknown) => {
        if (typeof value === 'number' && value > 1e12) numbers.push(name);
        return value;
      });
      expect(numbers).toEqual([]);
    }
    const [topic] = (await asked('/health/sf-events', TOKEN)).json().topics;
    expect(topic.lastEventAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
