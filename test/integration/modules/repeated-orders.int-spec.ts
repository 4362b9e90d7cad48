import { randomUUID } from 'node:crypto';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

const FIBRE = { items: [{ productId: IDS.fibre, quantity: 1 }] };
const TWO = { items: [{ productId: IDS.fibre, quantity: 2 }] };

const portals: Portal[] = [];
const open = async (env: Record<string, string> = {}) => {
  const portal = await Portal.open(env);
  portals.push(portal);
  return portal;
};
afterEach(async () => {
  await Promise.all(portals.splice(0).map((portal) => portal.close()));
});

const place = (portal: Portal, key: string, body: object = FIBRE, user = 'alice') =>
  portal.post(user, '/api/orders', body, 'application/json', { 'idempotency-key': `"${key}"` });
const told = ({ statusCode, headers, body }: Awaited<ReturnType<typeof place>>) => {
  const { requestId: _id, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return { status: statusCode, location: headers['location'], body: rest };
};

describe('[C3] an order with an Idempotency-Key', () => {
  it('is placed once for all requests with the key, which get the same answer', async () => {
    const portal = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(portal, 'k')));
    answers.push(await place(portal, 'k'));
    const [first] = answers.map(told);
    expect(first).toMatchObject({ status: 201, location: expect.stringMatching(/^\/api\/orders\/801/) });
    for (const answer of answers) expect(told(answer)).toEqual(first);
    expect(portal.org.composites).toHaveLength(1);
  });

  it('is one order for each key and each account', async () => {
    const portal = await open();
    for (const key of ['a', 'b']) expect((await place(portal, key)).statusCode).toBe(201);
    Object.assign(portal.org.accounts[1] as object, { Internet_Eligibility_Status__c: 'Eligible' });
    expect((await place(portal, 'a', FIBRE, 'bob')).statusCode).toBe(201);
    expect(portal.org.composites).toHaveLength(3);
    const marks = portal.org.composites.map(([order]) => String(order?.body?.['Portal_Request_Id__c']));
    expect(new Set(marks).size).toBe(3);
    for (const mark of marks) expect(mark).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is refused with another content, or a malformed key, and nothing is placed', async () => {
    const portal = await open();
    await place(portal, 'k');
    const other = await place(portal, 'k', TWO);
    expect([other.statusCode, other.json().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    const bare = { 'idempotency-key': 'k' };
    const malformed = await portal.post('alice', '/api/orders', FIBRE, 'application/json', bare);
    expect([malformed.statusCode, malformed.json().detail]).toEqual([400, expect.stringMatching(/double quotes/)]);
    expect(portal.org.composites).toHaveLength(1);
  });

  it('has a remembered refusal, but not that of a body that could not be read', async () => {
    const portal = await open();
    expect((await place(portal, 'k', { items: [] })).statusCode).toBe(400);
    const refused = await place(portal, 'k', { items: [{ productId: IDS.router, quantity: 1 }] });
    expect([refused.statusCode, refused.json().code]).toEqual([422, 'ORDER_PRODUCT_NOT_SOLD']);
    const queries = { ...portal.org.queries };
    const again = await place(portal, 'k', { items: [{ productId: IDS.router, quantity: 1 }] });
    expect(told(again)).toEqual(told(refused));
    expect(portal.org.queries).toEqual(queries);
  });

  it('may be sent again after a failure that passes', async () => {
    const portal = await open();
    portal.org.failure = new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', 'REQUEST_LIMIT_EXCEEDED');
    expect((await place(portal, 'k')).statusCode).toBe(503);
    portal.org.failure = undefined;
    expect((await place(portal, 'k')).statusCode).toBe(201);
  });

  it('is found by the next request after an unknown outcome, as it is by then', async () => {
    const portal = await open();
    portal.org.lostAnswer = new SalesforceError('SALESFORCE_TIMEOUT', 'no answer');
    const unknown = await place(portal, 'k');
    expect([unknown.statusCode, unknown.json().code]).toEqual([504, 'ORDER_OUTCOME_UNKNOWN']);
    expect(unknown.json().detail).toContain('send it again with the same Idempotency-Key');
    portal.org.lostAnswer = undefined;
    const placed = portal.org.orders.at(-1) as Record<string, unknown>;
    placed['Status'] = 'Approved'; // the back office is at work
    const found = await place(portal, 'k');
    expect(told(found)).toMatchObject({ status: 201, body: { id: placed['Id'] } });
    expect(placed['Status']).toBe('Approved');
    expect(portal.org.orders.filter(({ AccountId }) => AccountId === IDS.alice)).toHaveLength(2);
  });

  it('is found after an unknown outcome even if it would be refused by then', async () => {
    const portal = await open();
    portal.org.lostAnswer = new SalesforceError('SALESFORCE_TIMEOUT', 'no answer');
    expect((await place(portal, 'k')).statusCode).toBe(504);
    portal.org.lostAnswer = undefined;
    const placed = portal.org.orders.at(-1) as Record<string, unknown>;
    portal.org.prices.length = 0; // nothing is sold any more
    expect(told(await place(portal, 'k'))).toMatchObject({ status: 201, body: { id: placed['Id'] } });
    const queries = portal.org.queries['Order'];
    const refused = await place(portal, 'another key');
    expect([refused.statusCode, refused.json().code]).toEqual([422, 'ORDER_PRODUCT_NOT_SOLD']);
    expect(portal.org.queries['Order']).toBe(queries); // nothing was sent with that key, so nothing is looked for
  });

  it('is found after an unknown outcome although an attempt between the two has failed', async () => {
    const portal = await open();
    portal.org.lostAnswer = new SalesforceError('SALESFORCE_TIMEOUT', 'no answer');
    expect((await place(portal, 'k')).statusCode).toBe(504);
    portal.org.lostAnswer = undefined;
    const placed = portal.org.orders.at(-1) as Record<string, unknown>;
    portal.org.failure = new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', 'REQUEST_LIMIT_EXCEEDED');
    expect((await place(portal, 'k')).statusCode).toBe(503);
    portal.org.failure = undefined;
    portal.org.prices.length = 0;
    expect(told(await place(portal, 'k'))).toMatchObject({ status: 201, body: { id: placed['Id'] } });
  });

  it('is still being carried out for those who have waited long enough', async () => {
    const portal = await open();
    let finish = (): void => undefined;
    portal.org.writeDelay = () => new Promise((resolve) => (finish = resolve));
    const first = place(portal, 'k');
    await eventually(() => portal.org.composites.length === 1, {
      withinMs: 10_000,
      what: 'the order is being written',
    });
    const second = await place(portal, 'k');
    expect([second.statusCode, second.json().code]).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE']);
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
    finish();
    expect(told(await place(portal, 'k'))).toEqual(told(await first));
  }, 30_000);
});

describe('[C3] an order with an Idempotency-Key in an org without the field', () => {
  const without = async () => {
    const portal = await open();
    delete portal.org.orderFields['Portal_Request_Id__c'];
    return portal;
  };

  it('is placed once, as the store remembers it', async () => {
    const portal = await without();
    const answers = await Promise.all(Array.from({ length: 10 }, () => place(portal, 'k')));
    await place(portal, 'other');
    expect(new Set(answers.map((answer) => JSON.stringify(told(answer)))).size).toBe(1);
    expect(portal.org.composites).toHaveLength(2);
    expect(portal.org.composites[0]?.[0]?.body).not.toHaveProperty('Portal_Request_Id__c');
  });

  it('is never placed again once its outcome is unknown', async () => {
    const portal = await without();
    portal.org.lostAnswer = new SalesforceError('SALESFORCE_TIMEOUT', 'no answer');
    expect((await place(portal, 'k')).json().detail).toContain('look at GET /api/orders');
    portal.org.lostAnswer = undefined;
    const again = await place(portal, 'k');
    expect([again.statusCode, again.json().code]).toEqual([502, 'ORDER_OUTCOME_UNKNOWN']);
    expect(portal.org.composites).toHaveLength(1);
  });

  it('is placed a second time without Redis, in a process that does not know the key', async () => {
    const [first, next] = [await without(), await without()];
    next.org.composite = (calls) => first.org.composite(calls);
    expect((await place(first, 'k')).statusCode).toBe(201);
    expect((await place(next, 'k')).statusCode).toBe(201);
    expect(first.org.orders.filter(({ AccountId }) => AccountId === IDS.alice)).toHaveLength(3);
  });

  it.each([
    ['is not unique', { createable: true, unique: false }],
    ['our user may not write', { createable: false, unique: true }],
  ])('counts a field that %s as none', async (_, traits) => {
    const portal = await without();
    portal.org.orderFields['Portal_Request_Id__c'] = traits;
    expect((await place(portal, 'k')).statusCode).toBe(201);
    expect(portal.org.composites[0]?.[0]?.body).not.toHaveProperty('Portal_Request_Id__c');
  });

  it('asks for no field if it is configured so, and for another name if the org has one', async () => {
    const none = await open({ SF_ORDER_REQUEST_ID_FIELD: 'none' });
    expect((await place(none, 'k')).statusCode).toBe(201);
    expect(none.org.composites[0]?.[0]?.body).not.toHaveProperty('Portal_Request_Id__c');
    const named = await open({ SF_ORDER_REQUEST_ID_FIELD: 'Own_Request_Id__c' });
    named.org.orderFields['Own_Request_Id__c'] = { createable: true, unique: true };
    expect((await place(named, 'k')).statusCode).toBe(201);
    expect(named.org.composites[0]?.[0]?.body).toHaveProperty('Own_Request_Id__c');
  });

  it('notices that the field is taken away, and places nothing twice', async () => {
    const portal = await open();
    await place(portal, 'a');
    delete portal.org.orderFields['Portal_Request_Id__c'];
    expect((await place(portal, 'b')).statusCode).toBe(502);
    expect((await place(portal, 'b')).statusCode).toBe(201);
    expect(portal.org.orders.filter(({ AccountId }) => AccountId === IDS.alice)).toHaveLength(3);
  });
});

describe('[C3] an order with an Idempotency-Key over two BFFs', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  /** Two BFFs on one Redis and one org. */
  const pair = async () => {
    const env = { REDIS_URL: server.url, SF_EVENTS_ENABLED: 'false', APP_NAME: `orders-${randomUUID().slice(0, 8)}` };
    const [one, two] = [await open(env), await open(env)];
    two.org.composite = (calls) => one.org.composite(calls);
    two.org.orders.splice(0, Infinity);
    two.org.query = (soql) => one.org.query(soql);
    return [one, two] as const;
  };

  it('is placed once, and remembered in Redis for a day, with nothing to be read in it', async () => {
    const [one, two] = await pair();
    const key = `secret-${randomUUID()}`;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => place(i % 2 ? one : two, key)));
    expect(new Set(answers.map((answer) => JSON.stringify(told(answer)))).size).toBe(1);
    expect(answers[0]?.statusCode).toBe(201);
    expect(one.org.composites).toHaveLength(1);
    const redis = new Redis(server.url);
    const [record = ''] = await redis.keys('*.idempotency}:*');
    expect(record).not.toMatch(new RegExp(`${key}|${IDS.alice}`));
    const kept = await redis.hgetall(record);
    expect(JSON.stringify(kept)).not.toContain((answers[0]?.json() as { id: string }).id);
    const leftMs = await redis.pttl(record);
    expect(leftMs).toBeGreaterThan(23 * 3_600_000);
    expect(leftMs).toBeLessThanOrEqual(24 * 3_600_000);
    redis.disconnect();
  });

  it('is placed once by the org alone when Redis has forgotten the key', async () => {
    const [one, two] = await pair();
    const first = await place(one, 'k');
    const redis = new Redis(server.url);
    await redis.flushall();
    redis.disconnect();
    expect(told(await place(two, 'k'))).toEqual(told(first));
    expect(one.org.orders.filter(({ AccountId }) => AccountId === IDS.alice)).toHaveLength(2);
  });

  it('is placed once by the org alone while Redis is away; without the field nothing is placed', async () => {
    const own = await startRedisServer();
    const env = { REDIS_URL: own.url, SF_EVENTS_ENABLED: 'false', REDIS_COMMAND_TIMEOUT_MS: '500' };
    const portal = await open(env);
    const bare = await open(env);
    delete bare.org.orderFields['Portal_Request_Id__c'];
    expect((await place(bare, 'first')).statusCode).toBe(201);
    await own.stop();
    const first = await place(portal, 'k');
    expect([first.statusCode, told(await place(portal, 'k'))]).toEqual([201, told(first)]);
    expect(portal.org.orders.filter(({ AccountId }) => AccountId === IDS.alice)).toHaveLength(2);
    const refused = await place(bare, 'k');
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'IDEMPOTENCY_UNAVAILABLE']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(bare.org.composites).toHaveLength(1);
  }, 30_000);
});
