import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { LATENCY_MS, Portal, type Answer } from './support/portal.js';

/** How long a call to Salesforce takes while a BFF is killed: half of it passes after the order was written. */
const SLOW_MS = 4_000;

let portal: Portal;
let body: string;

const place = async (key: string, bff = 0): Promise<Answer> => {
  const headers = {
    authorization: `Bearer ${await portal.token(1)}`,
    'content-type': 'application/json',
    'idempotency-key': `"${key}"`,
  };
  return portal.request('/api/orders', { method: 'POST', headers, body }, bff);
};
const orderIds = async (bff = 0) =>
  ((await portal.get('/api/orders', { bff })).body as { id: string }[]).map(({ id }) => id);
const chosenBody = async () => {
  const { products } = (await portal.get('/api/catalog/sim')).body as { products: { id: string }[] };
  return JSON.stringify({ items: [{ productId: products[0]?.id, quantity: 1 }] });
};
const composites = async () =>
  ((await (await fetch(`${portal.sandboxUrl}/sandbox/stats`)).json()) as { salesforce: { composites: number } })
    .salesforce.composites;

/** Kills the BFF after Salesforce has written the order, and before it has said so. */
async function killedInBetween(key: string, bff: number): Promise<void> {
  await place(`${key}-before`, bff); // the catalog, the sign-in and the field of Order are known from now on
  await portal.fault({ fault: 'latency', target: 'rest', ms: SLOW_MS });
  const before = await composites();
  const lost = place(key, bff).then(
    ({ status }) => status,
    () => 'no answer',
  );
  await eventually(async () => (await composites()) > before, { withinMs: 30_000, what: 'the order is written' });
  await portal.bffs[bff]?.stop('SIGKILL');
  expect(await lost).toBe('no answer');
  await portal.fault({ fault: 'latency', target: 'rest', ms: LATENCY_MS });
}

/** The first answer that does not say that the killed process may still be at work. */
async function answerAfter(key: string, bff: number): Promise<Answer> {
  let answer = await place(key, bff);
  const isOver = async () => {
    if (answer.status === 409) answer = await place(key, bff);
    return answer.status !== 409;
  };
  await eventually(isOver, { withinMs: 60_000, what: 'the claim of the killed process ends' });
  return answer;
}

describe('[C3] orders over two BFFs with Redis', () => {
  beforeAll(async () => {
    portal = await Portal.onRedis();
    body = await chosenBody();
  });
  afterAll(() => portal.stop());

  it('20 identical requests with one key make one order and 20 equal answers', async () => {
    const before = await orderIds();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => place(key, i % 2)));
    const told = answers.map(({ status, headers, body }) => ({ status, location: headers.get('location'), body }));
    expect(told[0]).toMatchObject({ status: 201, location: expect.stringMatching(/^\/api\/orders\/801\w{15}$/) });
    for (const each of told) expect(each).toEqual(told[0]);
    expect((await orderIds(1)).filter((id) => !before.includes(id))).toEqual([(told[0]?.body as { id: string }).id]);
  });

  it('a BFF is killed between the answer of Salesforce and its own; the repeated request finds the order', async () => {
    const key = randomUUID();
    await killedInBetween(key, 0);
    const before = await orderIds(1);
    const answer = await answerAfter(key, 1);
    expect(answer.status).toBe(201);
    const { id } = answer.body as { id: string };
    expect(before).toContain(id);
    expect(await orderIds(1)).toEqual(before);
    await portal.restartBff(0);
    expect(await place(key, 0)).toMatchObject({ status: 201, body: { id } });
  });
});

describe('[C3] orders over two BFFs with Redis, in an org without the field for the id of a request', () => {
  const field = 'A_Field_That_Is_Not_There__c';
  beforeAll(async () => {
    portal = await Portal.onRedis({ SF_ORDER_REQUEST_ID_FIELD: field });
    body = await chosenBody();
  });
  afterAll(() => portal.stop());

  it('a BFF is killed between the answer of Salesforce and its own; the repeated request places no second order', async () => {
    const key = randomUUID();
    const known = await orderIds(1);
    const lost = async () => (await orderIds(1)).filter((id) => !known.includes(id));
    await killedInBetween(key, 0);
    expect(portal.bffs[0]?.output).toContain(`Order has no field ${field}`);
    const sent = await composites();
    const unknown = { status: 502, body: { code: 'ORDER_OUTCOME_UNKNOWN' } };
    const [answer] = await Promise.all([answerAfter(key, 1), portal.restartBff(0)]);
    expect(answer).toMatchObject(unknown);
    expect((answer.body as { detail: string }).detail).toContain('look at GET /api/orders before ordering again');
    for (const bff of [0, 1]) expect(await place(key, bff)).toMatchObject(unknown);
    expect(await composites()).toBe(sent);
    // One of before the kill and the lost one: GET /api/orders shows what has become of it, and a new key orders again.
    await eventually(async () => (await lost()).length === 2, { withinMs: 10_000, what: 'the order is in the list' });
    expect((await place(randomUUID(), 1)).status).toBe(201);
    expect(await composites()).toBe(sent + 1);
  });
});

describe('[C3] orders of one BFF without Redis', () => {
  beforeAll(async () => {
    portal = await Portal.embedded();
    body = await chosenBody();
  });
  afterAll(() => portal.stop());

  it('it is killed between the answer of Salesforce and its own; the repeated request finds the order', async () => {
    const key = randomUUID();
    await killedInBetween(key, 0);
    await portal.restartBff(0);
    const before = await orderIds();
    const answer = await place(key);
    expect(answer.status).toBe(201);
    expect(before).toContain((answer.body as { id: string }).id);
    expect(await orderIds()).toEqual(before);
  });
});
