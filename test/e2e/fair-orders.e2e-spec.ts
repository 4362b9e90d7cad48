import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Portal, type Answer } from './support/portal.js';

const GREEDY = 1;
const HONEST = 2;

let portal: Portal;
let productId: string | undefined;
afterEach(() => portal.stop());

/** The code of a problem, else the status. */
const told = ({ status, body }: Answer): number | string => (body as { code?: string }).code ?? status;

/** Starts a portal whose catalog is cached and whose customers are known. */
async function start(env: Readonly<Record<string, string>>): Promise<void> {
  portal = await Portal.onRedis({ SF_RECONCILE_SECONDS: '0', ...env }); // the reconciler's queries would be counted
  const isLive = async () => (await portal.request('/health/sf-events')).status === 200;
  await eventually(isLive, { withinMs: 30_000, what: 'the stream is live' });
  for (const customer of [GREEDY, HONEST]) await portal.get('/api/catalog/eligibility', { customer });
  const { products } = (await portal.get('/api/catalog/sim')).body as {
    products: { id: string; price: number | null; region: string | null }[];
  };
  productId = products.find(({ price, region }) => price !== null && region === null)?.id;
  expect(told(await order(HONEST))).toBe(201); // every list of the catalog is cached from now on
}

async function order(customer: number, quantity = 1): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${await portal.token(customer)}`,
    'content-type': 'application/json',
    'idempotency-key': `"${randomUUID()}"`,
  };
  const body = JSON.stringify({ items: [{ productId, quantity }] });
  return portal.request('/api/orders', { method: 'POST', headers, body });
}

let made = 0;
/** The address of an order that does not exist, another one each time. */
const madeUpOrder = () => `/api/orders/801${String(++made).padStart(12, '0')}`;

/** Reads of orders that do not exist, eight at a time, until one is answered so; returns that code. */
async function readUntil(customer: number, isEnd: (code: number | string) => boolean): Promise<number | string> {
  for (let made = 0; ;) {
    const ids = Array.from({ length: 8 }, () => `801${String(++made).padStart(12, '0')}`);
    const codes = (await Promise.all(ids.map((id) => portal.get(`/api/orders/${id}`, { customer })))).map(told);
    const end = codes.find(isEnd);
    if (end !== undefined) return end;
  }
}

describe('[C2] the account that has spent most, in the reserve of the day’s requests', () => {
  it.each([
    ['orders that are refused', 1_000, 'ORDER_TOO_LARGE'],
    ['orders that are placed', 1, 201],
  ])(
    'cannot empty it with %s',
    async (_, quantity, first) => {
      await start({ SANDBOX_DAILY_API_REQUESTS: '400', SF_QUOTA_RESERVE_PERCENT: '50', ORDER_TOTAL_MAX: '100000' });
      expect(await readUntil(GREEDY, (code) => typeof code === 'string' && code !== 'NOT_FOUND')).toBe(
        'SALESFORCE_QUOTA_RESERVED',
      );
      const greedy: (number | string)[] = [];
      for (let i = 0; i < 30; i++) {
        const each = Array.from({ length: 8 }, () => order(GREEDY, quantity));
        greedy.push(...(await Promise.all(each)).map(told));
      }
      expect(greedy[0]).toBe(first);
      const expected = new Set([first, 'SALESFORCE_QUOTA_RESERVED']);
      expect(new Set([...greedy, ...expected])).toEqual(expected);
      expect((await portal.get('/api/orders', { customer: HONEST })).status).toBe(200);
      expect(told(await order(HONEST))).toBe(201);
    },
    180_000,
  );
});

describe('[C2] a customer whose fetches are used up while Redis does not answer', () => {
  it('can still order', async () => {
    await start({ LIMIT_FETCHES: '80/600', LIMIT_WRITES: '30/600' });
    expect(told(await order(GREEDY))).toBe(201);
    portal.redis?.pause();
    // One after the other, so that each has the user's account looked for: that costs points of the user, not of the account.
    const reads: (number | string)[] = [];
    for (let i = 0; i < 60; i++) reads.push(told(await portal.get(madeUpOrder(), { customer: GREEDY })));
    expect(new Set(reads.slice(-10))).toEqual(new Set(['RATE_LIMITED']));
    const orders: (number | string)[] = [];
    // The share of this process: 30 points, divided by four processes.
    for (let i = 0; i < 9; i++) orders.push(told(await order(GREEDY)));
    expect(orders).toEqual([201, 201, 201, 201, 201, 201, 201, 'RATE_LIMITED', 'RATE_LIMITED']);
  }, 180_000);
});
