import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import { LATENCY_MS, Portal } from './support/portal.js';

interface OrderSummary {
  id: string;
  orderNumber: string;
  status: string;
  effectiveDate: string;
  totalAmount: number;
}
interface OrderDetail extends OrderSummary {
  items: { id: string; quantity: number }[];
}
interface CacheHealth {
  metrics: Record<string, { hits: number; misses: number }> & { invalidations: number };
  ttl: Record<string, number | null>;
}

const deployments = [
  { name: 'one process, embedded store', start: () => Portal.embedded(), bffs: 1 },
  { name: 'Redis with L1 strict (default), two BFFs and a worker', start: () => Portal.onRedis(), bffs: 2 },
  { name: 'Redis without L1, two BFFs and a worker', start: () => Portal.onRedis({ CACHE_L1: 'off' }), bffs: 2 },
];

describe.each(deployments)('the portal: $name', ({ start, bffs }) => {
  let portal: Portal;
  const last = bffs - 1;
  beforeAll(async () => {
    portal = await start();
    await eventually(async () => (await portal.request('/health/sf-events')).status === 200, {
      withinMs: 20_000,
      what: 'the stream is live',
    });
  });
  afterAll(() => portal.stop());

  const orders = async (customer = 1, bff = 0) =>
    (await portal.get('/api/orders', { customer, bff })).body as OrderSummary[];
  const ordersHealth = async () => (await portal.request('/health/orders/cache', {}, last)).body as CacheHealth;
  const soon = { withinMs: 2000 };

  it('[E5] answers the first request from Salesforce and the second from the cache', async () => {
    const miss = await portal.get('/api/orders');
    const hit = await portal.get('/api/orders', { bff: last });
    expect([miss.status, hit.status]).toEqual([200, 200]);
    expect(miss.ms).toBeGreaterThanOrEqual(LATENCY_MS);
    const counted = async () => (await ordersHealth()).metrics.account;
    await eventually(async () => (await counted())?.hits === 1 && (await counted())?.misses === 1);
    expect(hit.body).toEqual(miss.body);
    expect((miss.body as OrderSummary[]).length).toBeGreaterThanOrEqual(5);
    expect((miss.body as OrderSummary[])[0]).toMatchObject({
      id: expect.stringMatching(/^801\w{15}$/),
      status: expect.any(String),
      totalAmount: expect.any(Number),
    });
  });

  it('[P4] [P5] [E4] a changed status is in the next answer within two seconds; other accounts stay hits', async () => {
    await orders(2);
    const before = (await orders(1))[0] as OrderSummary;
    const detail = (await portal.get(`/api/orders/${before.id}`)).body as OrderDetail;
    const status = before.status === 'Cancelled' ? 'Activated' : 'Cancelled';
    await portal.change('Order', before.id, { Status: status, Activation_Status__c: 'Activating' });
    await eventually(async () => (await orders(1, last)).find(({ id }) => id === before.id)?.status === status, soon);
    expect((await portal.get(`/api/orders/${before.id}`, { bff: last })).body as OrderDetail).toEqual({
      ...detail,
      status,
    });
    const { hits, misses } = await settled(
      async () => (await ordersHealth()).metrics.account as { hits: number; misses: number },
    );
    await orders(2, last);
    await eventually(async () => (await ordersHealth()).metrics.account?.hits === hits + 1);
    expect((await ordersHealth()).metrics.account?.misses).toBe(misses);
  });

  it('[P3] a change of an internal field alone changes nothing in the cache', async () => {
    const [order] = (await orders(1)) as [OrderSummary];
    await orders(1, last);
    const { metrics, skippedBefore } = await settled(async () => ({
      metrics: (await ordersHealth()).metrics,
      skippedBefore: await skipped(portal),
    }));
    const { Activation_Status__c: now } = (await portal.salesforce('GET', `/sobjects/Order/${order.id}`)) as Record<
      string,
      unknown
    >;
    await portal.change('Order', order.id, { Activation_Status__c: now === 'Failed' ? 'Activating' : 'Failed' });
    await eventually(async () => (await skipped(portal)) === skippedBefore + 1, {
      withinMs: 5000,
      what: 'the event was skipped',
    });
    await orders(1, last);
    await eventually(async () => {
      const after = (await ordersHealth()).metrics;
      return after.account?.misses === metrics.account?.misses && after.invalidations === metrics.invalidations;
    });
  });

  it('[P6] a changed order line is in the order and in the list', async () => {
    const [order] = (await orders(1)) as [OrderSummary];
    const detail = (await portal.get(`/api/orders/${order.id}`)).body as OrderDetail;
    const [item] = detail.items as [OrderDetail['items'][number]];
    await portal.change('OrderItem', item.id, { Quantity: item.quantity + 3 });
    await eventually(async () => {
      const seen = (await portal.get(`/api/orders/${order.id}`, { bff: last })).body as OrderDetail;
      return seen.items.find(({ id }) => id === item.id)?.quantity === item.quantity + 3;
    }, soon);
    await eventually(
      async () => (await orders(1, last)).find(({ id }) => id === order.id)?.totalAmount !== order.totalAmount,
      soon,
    );
  });

  it('[P7] [E2] [E3] an order made in Salesforce appears, and one deleted there goes', async () => {
    const [some] = (await orders(1)) as [OrderSummary];
    const account = ((await portal.salesforce('GET', `/sobjects/Order/${some.id}`)) as { AccountId: string }).AccountId;
    const { id } = (await portal.salesforce('POST', '/sobjects/Order', {
      AccountId: account,
      Status: 'Draft',
      EffectiveDate: '2026-11-20',
    })) as { id: string };
    await eventually(async () => (await orders(1, last)).some((order) => order.id === id), soon);
    await portal.change('Order', id, 'delete');
    await eventually(async () => !(await orders(1)).some((order) => order.id === id), soon);
    expect((await portal.get(`/api/orders/${id}`)).status).toBe(404);
  });

  it('[P8] [P10] [P11] a product and its price change in the catalog, eligibility of one account only', async () => {
    type Category = { products: { id: string; name: string; price: number }[] };
    const [product] = ((await portal.get('/api/catalog/internet')).body as Category).products as [
      Category['products'][number],
    ];
    await portal.change('Product2', product.id, { Name: 'Renamed product' });
    const seen = async () =>
      ((await portal.get('/api/catalog/internet', { bff: last })).body as Category).products.find(
        ({ id }) => id === product.id,
      );
    await eventually(async () => (await seen())?.name === 'Renamed product', soon);
    const { records } = (await portal.salesforce(
      'GET',
      `/query?q=${encodeURIComponent(`SELECT Id FROM PricebookEntry WHERE Product2Id = '${product.id}'`)}`,
    )) as { records: { Id: string }[] };
    for (const { Id } of records) await portal.change('PricebookEntry', Id, { UnitPrice: product.price + 11 });
    await eventually(async () => (await seen())?.price === product.price + 11, soon);

    const eligibility = async (customer: number) =>
      (await portal.get('/api/catalog/eligibility', { customer, bff: last })).body as { accountId: string };
    const { accountId } = await eligibility(1);
    await eligibility(2);
    const misses = async () =>
      ((await portal.request('/health/catalog/cache', {}, last)).body as CacheHealth).metrics.eligibility?.misses ?? 0;
    await portal.salesforce('POST', '/sobjects/Account_Eligibility_Update__e', { Account_Id__c: accountId });
    const before = await misses();
    await eventually(async () => {
      await eligibility(1);
      return (await misses()) > before;
    }, soon);
    const after = await misses();
    await eligibility(2);
    expect(await misses()).toBe(after);
  });

  it('an order placed in the portal is in the next list, and Salesforce has it', async () => {
    const { products } = (await portal.get('/api/catalog/sim')).body as { products: { id: string }[] };
    const body = JSON.stringify({ items: [{ productId: products[0]?.id, quantity: 2 }] });
    await orders(3);
    const headers = { authorization: `Bearer ${await portal.token(3)}`, 'content-type': 'application/json' };
    const placed = await portal.request('/api/orders', { method: 'POST', headers, body });
    expect(placed.status).toBe(201);
    const { id } = placed.body as OrderDetail;
    expect(placed.headers.get('location')).toBe(`/api/orders/${id}`);
    expect((await orders(3, last)).map((order) => order.id)).toContain(id);
    expect(await portal.salesforce('GET', `/sobjects/Order/${id}`)).toMatchObject({ Id: id });
  });

  it('[P28] [invariant 16] nobody reads another account: its order is not found, its invoice neither', async () => {
    const [mine] = (await orders(1)) as [OrderSummary];
    expect((await portal.get(`/api/orders/${mine.id}`, { customer: 2 })).status).toBe(404);
    const [invoice] = (await portal.get('/api/invoices')).body as [{ id: number }];
    expect((await portal.get(`/api/invoices/${invoice.id}`)).status).toBe(200);
    expect((await portal.get(`/api/invoices/${invoice.id}`, { customer: 2 })).status).toBe(404);
    const ids = await Promise.all([1, 2, 3].map(async (customer) => (await orders(customer)).map(({ id }) => id)));
    expect(new Set(ids.flat()).size).toBe(ids.flat().length);
  });

  it('billing is answered from its own cache', async () => {
    const billing = async () => (await portal.request('/health/billing/cache')).body as CacheHealth;
    const hits = async () => {
      const { invalidations: _, ...buckets } = (await billing()).metrics;
      return Object.values(buckets).reduce((sum, bucket) => sum + bucket.hits, 0);
    };
    const before = await hits();
    for (const path of ['/api/subscriptions', '/api/payment-methods', '/api/invoices']) {
      expect((await portal.get(path)).status).toBe(200);
      expect((await portal.get(path, { bff: last })).status).toBe(200);
    }
    await eventually(async () => (await hits()) >= before + 3, { what: 'the second read of each is a hit' });
    const health = await billing();
    expect(Object.values(health.ttl).sort()).toEqual([3600, 300, 300, 600, 900, 90].sort());
  });

  it('shows its health: the catalog in the form that dashboards know', async () => {
    await portal.get('/api/catalog/internet');
    const { status, body } = await portal.request('/health/catalog/cache');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      metrics: {
        catalog: { hits: expect.any(Number), misses: expect.any(Number) },
        static: { hits: expect.any(Number), misses: expect.any(Number) },
        volatile: { hits: expect.any(Number), misses: expect.any(Number) },
        invalidations: expect.any(Number),
      },
      ttl: { catalogSeconds: null, staticSeconds: null, volatileSeconds: 60 },
    });
    expect((await portal.request('/health')).body).toMatchObject({ status: 'ok' });
    for (const path of ['/health/live', '/health/ready', '/health/sf-events'])
      await eventually(async () => (await portal.request(path)).status === 200, { what: path });
  });
});

async function skipped(portal: Portal): Promise<number> {
  const { topics } = (await portal.request('/health/sf-events')).body as {
    topics: { topic: string; skipped: number }[];
  };
  return topics.find(({ topic }) => topic === '/data/OrderChangeEvent')?.skipped ?? 0;
}

/**
 * Reads counters until they are final. Those of other processes are up to a second old, so they must stay equal for
 * longer than that.
 */
async function settled<T>(read: () => Promise<T>): Promise<T> {
  let last = await read();
  await eventually(
    async () => {
      await elapse(1200);
      const before = JSON.stringify(last);
      last = await read();
      return JSON.stringify(last) === before;
    },
    { withinMs: 15_000, what: 'the counters stand still' },
  );
  return last;
}
