import type { CacheBucketMetrics } from '@bff/infra/cache/cache.types';
import { emptyBucketMetrics } from '@bff/infra/cache/counters/bucket-metrics';
import { currentCaller } from '@bff/infra/callers/caller';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

let portal: Portal;

beforeEach(async () => {
  portal = await Portal.open();
});
afterEach(() => portal.close());

describe('orders', () => {
  it('are a plain array in camelCase, and an order adds its items', async () => {
    const summary = {
      id: IDS.aliceOrder,
      orderNumber: expect.any(String),
      status: 'Draft',
      type: 'Internet',
      effectiveDate: '2026-11-01',
      totalAmount: 40,
      createdAt: '2026-11-01T10:00:00.000Z',
      itemCount: 1,
    };
    expect((await portal.get('alice', '/api/orders')).json()).toEqual([summary]);
    expect((await portal.get('alice', `/api/orders/${IDS.aliceOrder.slice(0, 15)}`)).json()).toEqual({
      ...summary,
      items: [expect.objectContaining({ id: IDS.aliceItem, productName: 'Fibre 1G', quantity: 1, totalPrice: 40 })],
    });
  });

  it('[C2] are placed by requests that all count as writes, which the reserve of the quota is kept for', async () => {
    await portal.get('alice', '/api/orders');
    const seen: boolean[] = [];
    portal.org.delay = async () => void seen.push(currentCaller()?.isWriting === true);
    const body = { items: [{ productId: IDS.fibre, quantity: 1 }] };
    expect((await portal.post('alice', '/api/orders', body)).statusCode).toBe(201);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).not.toContain(false);
    await portal.get('bob', '/api/orders');
    expect(seen.at(-1)).toBe(false);
  });

  it('[P28] [E15] [invariant 16] of another account are not there', async () => {
    const foreign = await portal.get('alice', `/api/orders/${IDS.bobOrder}`);
    const absent = await portal.get('alice', '/api/orders/801000000000999');
    expect(foreign.statusCode).toBe(404);
    const { instance: _a, requestId: _b, ...foreignBody } = foreign.json();
    const { instance: _c, requestId: _d, ...absentBody } = absent.json();
    expect(foreignBody).toEqual(absentBody);
    expect((await portal.get('bob', `/api/orders/${IDS.bobOrder}`)).statusCode).toBe(200);
    expect((await portal.get('alice', `/api/orders/${IDS.bobOrder}`)).statusCode).toBe(404);
  });

  it('with ids of other objects ask nothing', async () => {
    expect((await portal.get('alice', `/api/orders/${IDS.fibre}`)).statusCode).toBe(404);
    expect(portal.org.queries['Order']).toBeUndefined();
  });

  it('are created all or none, and the next list has the new one', async () => {
    await portal.get('alice', '/api/orders');
    const created = await portal.post('alice', '/api/orders', { items: [{ productId: IDS.fibre, quantity: 2 }] });
    expect(created.statusCode).toBe(201);
    expect(created.headers['location']).toBe(`/api/orders/${created.json().id}`);
    expect((await portal.get('alice', '/api/orders')).json()).toHaveLength(2);
    expect(portal.org.composites[0]).toMatchObject([
      { path: '/sobjects/Order', body: { AccountId: IDS.alice, Pricebook2Id: IDS.pricebook, Status: 'Draft' } },
      {
        path: '/sobjects/OrderItem',
        body: { OrderId: '@{order.id}', PricebookEntryId: IDS.fibrePrice, Quantity: 2, UnitPrice: 40 },
      },
    ]);
  });

  it.each([
    ['SALESFORCE_TIMEOUT', 504],
    ['SALESFORCE_UNAVAILABLE', 502],
  ] as const)(
    'with an unknown outcome (%s) are in the next list, and no answer asks to repeat them',
    async (code, status) => {
      await portal.get('alice', '/api/orders');
      portal.org.lostAnswer = new SalesforceError(code, 'composite at https://secret.example failed');
      const answer = await portal.post('alice', '/api/orders', { items: [{ productId: IDS.fibre, quantity: 2 }] });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['retry-after']).toBeUndefined();
      expect(answer.json()).toMatchObject({
        code: 'ORDER_OUTCOME_UNKNOWN',
        type: 'urn:evergreen:problem:order-outcome-unknown',
        detail: 'the order may have been placed; look at GET /api/orders before ordering again',
      });
      expect(answer.body).not.toMatch(/secret|[Tt]ry again/);
      expect((await portal.get('alice', '/api/orders')).json()).toHaveLength(2);
    },
  );

  it('with more lines than a composite request takes go as one collection', async () => {
    const items = Array.from({ length: 50 }, () => ({ productId: IDS.fibre, quantity: 1 }));
    expect((await portal.post('alice', '/api/orders', { items })).statusCode).toBe(201);
    const [order, collection] = portal.org.composites[0] ?? [];
    expect(order?.path).toBe('/sobjects/Order');
    expect(collection).toMatchObject({ path: '/composite/sobjects', body: { allOrNone: true } });
    expect(collection?.body?.['records']).toHaveLength(50);
  });

  it('for what is not sold are refused, and nothing is written', async () => {
    const answer = await portal.post('alice', '/api/orders', { items: [{ productId: IDS.router, quantity: 1 }] });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: 'ORDER_PRODUCT_NOT_SOLD',
      detail: expect.stringContaining(IDS.router),
    });
    expect(portal.org.composites).toEqual([]);
  });

  it.each([
    ['no body', '', /./],
    ['no items', { items: [] }, /^body\.items: must have at least 1 entries$/],
    ['items left out', {}, /^body\.items: is missing$/],
    ['items of another kind', { items: 'all' }, /^body\.items: must be a list$/],
    [
      '51 items',
      { items: Array.from({ length: 51 }, () => ({ productId: IDS.fibre, quantity: 1 })) },
      /: must have at most 50 entries$/,
    ],
    [
      'a fraction',
      { items: [{ productId: IDS.fibre, quantity: 1.5 }] },
      /^body\.items\.0\.quantity: must be a whole number$/,
    ],
    ['too many', { items: [{ productId: IDS.fibre, quantity: 5000 }] }, /quantity: must be at most 1000$/],
    ['a bad id', { items: [{ productId: "01t' OR Id != '", quantity: 1 }] }, /productId: not a Salesforce id/],
    [
      'an account of its own',
      { accountId: IDS.bob, items: [{ productId: IDS.fibre, quantity: 1 }] },
      /^body: has fields that are not known here: accountId$/,
    ],
  ])('with %s are refused with what is wrong', async (_, body, detail) => {
    const answer = await portal.post('alice', '/api/orders', body);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json().detail).toMatch(detail);
    expect(portal.org.composites).toEqual([]);
  });
});

describe('the catalog', () => {
  it('merges products, prices and availability', async () => {
    const page = (await portal.get('alice', '/api/catalog/internet')).json();
    expect(page).toMatchObject({ category: 'internet', region: null });
    expect(page.products).toEqual([
      expect.objectContaining({ id: IDS.fibre, name: 'Fibre 1G', price: 40, availability: 'In stock', stock: 5 }),
      expect.objectContaining({ id: IDS.router, price: null }),
    ]);
  });

  it('has no unknown category and takes no unknown region', async () => {
    const category = await portal.get('alice', '/api/catalog/orders:*');
    expect(category.statusCode).toBe(404);
    expect(category.json().detail).toContain('internet, sim');
    const region = await portal.get('alice', '/api/catalog/internet?region=*');
    expect(region.statusCode).toBe(400);
    expect(region.json().detail).toContain('East, West');
  });

  it('has a new region or category although nothing announced it, but does not ask for made-up ones each time', async () => {
    await portal.get('alice', '/api/catalog/internet?region=East');
    portal.org.regions.push('North');
    portal.org.families.push('Voice');
    const before = portal.org.queries['describe'] ?? 0;
    expect((await portal.get('alice', '/api/catalog/internet?region=north')).statusCode).toBe(200);
    expect((await portal.get('alice', '/api/catalog/voice')).statusCode).toBe(200);
    expect(portal.org.queries['describe']).toBe(before + 2);
    for (const name of ['a', 'b', 'c']) {
      expect((await portal.get('alice', `/api/catalog/internet?region=${name}`)).statusCode).toBe(400);
      expect((await portal.get('alice', `/api/catalog/${name}`)).statusCode).toBe(404);
    }
    expect(portal.org.queries['describe']).toBe(before + 2);
    expect((await portal.metrics('catalog')).invalidations).toBe(0);
  });

  it('reads the regions again when a product moves between lists', async () => {
    await portal.get('alice', '/api/catalog/internet?region=East');
    portal.org.regions.splice(0, 1);
    await portal.events.change('Product2', IDS.fibre, { changedFields: ['Region__c'] });
    expect((await portal.get('alice', '/api/catalog/internet?region=East')).statusCode).toBe(400);
  });

  it('says what the account may order', async () => {
    expect((await portal.get('alice', '/api/catalog/eligibility')).json()).toMatchObject({
      accountId: IDS.alice,
      internet: { status: 'Eligible' },
      regions: [],
    });
    expect((await portal.get('bob', '/api/catalog/eligibility')).json().regions).toEqual(['East', 'West']);
  });
});

describe('billing', () => {
  it('[P28] [invariant 16] shows a client its own invoices only', async () => {
    expect((await portal.get('alice', '/api/invoices')).json()).toEqual([
      expect.objectContaining({ id: 501, number: 'INV-501', total: 44, currency: 'JPY' }),
    ]);
    expect((await portal.get('alice', '/api/invoices/501')).json().items).toHaveLength(1);
    expect((await portal.get('alice', '/api/invoices/502')).statusCode).toBe(404);
    expect((await portal.get('alice', '/api/invoices/abc')).statusCode).toBe(400);
  });

  it("[C4] keeps so few invoices that are not there, another client's among them", async () => {
    const entries = async () => (await portal.anonymous('/health')).json().details.store.entries as number;
    await portal.get('alice', '/api/invoices');
    const before = await entries();
    for (const id of [502, 502, 999, 999]) {
      expect((await portal.get('alice', `/api/invoices/${id}`)).statusCode).toBe(404);
    }
    expect([await entries(), portal.billing.calls]).toEqual([before + 2, 3]);
    for (let id = 1_000; id < 1_150; id++) await portal.get('alice', `/api/invoices/${id}`);
    expect(await entries()).toBeLessThanOrEqual(before + 100);
  });

  it('answers an account without a billing client with a problem, not with an empty list', async () => {
    const answer = await portal.get('bob', '/api/invoices');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'BILLING_NOT_LINKED' });
    expect(portal.billing.calls).toBe(0);
  });

  it('[P24] keeps an empty list, so that it is asked for once', async () => {
    for (const _ of [1, 2]) expect((await portal.get('alice', '/api/subscriptions')).json()).toEqual([]);
    expect(portal.billing.calls).toBe(1);
    await portal.get('alice', '/api/payment-methods');
    expect((await portal.metrics('billing')).buckets).toMatchObject({
      subscriptions: { hits: 1, misses: 1 },
      paymentMethods: { misses: 1 },
      gateways: { misses: 1 },
    });
  });

  it('[P12] has the TTLs of the contract', async () => {
    expect((await portal.anonymous('/health/billing/cache')).json().ttl).toEqual({
      invoicesSeconds: 90,
      invoiceSeconds: 300,
      subscriptionsSeconds: 300,
      subscriptionSeconds: 600,
      paymentMethodsSeconds: 900,
      gatewaysSeconds: 3600,
    });
  });
});

describe('counters', () => {
  it('[P1] [P23] are exact, coalesced callers included', async () => {
    let open = (): void => undefined;
    await portal.get('alice', `/api/orders/${IDS.aliceOrder}`);
    portal.org.delay = () => new Promise((resolve) => (open = resolve));
    const answers = Promise.all(Array.from({ length: 100 }, () => portal.get('alice', '/api/orders')));
    await eventually(() => portal.org.queries['Order'] === 2, { what: 'the fetch of the list' });
    // The one query waits. A request that has not asked the cache yet may become a hit, so the sum is compared below.
    open();
    expect((await answers).map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(portal.org.queries['Order']).toBe(2);
    const account = (await portal.metrics('orders')).buckets['account'] as CacheBucketMetrics;
    expect(account).toMatchObject({ misses: 1, bypassed: 0, errors: 0 });
    expect(account.hits + account.coalesced).toBe(99);
  });

  it('of the catalog have the form of the contract', async () => {
    for (const _ of [1, 2]) await portal.get('alice', '/api/catalog/internet');
    await portal.get('alice', '/api/catalog/eligibility');
    await portal.events.change('Product2', IDS.fibre, { changedFields: ['Name'] });
    const body = (await portal.anonymous('/health/catalog/cache')).json();
    expect(body).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      processes: 1,
      metrics: {
        catalog: { ...emptyBucketMetrics(), hits: 1, misses: 1 },
        static: { ...emptyBucketMetrics(), hits: 1, misses: 1 },
        volatile: { ...emptyBucketMetrics(), hits: 1, misses: 1 },
        eligibility: { ...emptyBucketMetrics(), misses: 1 },
        invalidations: 1,
      },
      ttl: { catalogSeconds: null, staticSeconds: null, volatileSeconds: 60, eligibilitySeconds: null },
    });
  });
});

describe('a failing source', () => {
  it('[P2] is answered as a problem, is not kept, and its own words stay inside', async () => {
    portal.org.failure = new SalesforceError('SALESFORCE_TIMEOUT', 'query at https://secret.example failed');
    await portal.get('alice', '/api/orders');
    const answer = await portal.get('alice', '/api/orders');
    expect(answer.statusCode).toBe(504);
    expect(answer.body).not.toContain('secret');
    expect(answer.json()).toMatchObject({ code: 'SALESFORCE_TIMEOUT', instance: '/api/orders' });
    portal.org.failure = undefined;
    expect((await portal.get('alice', '/api/orders')).statusCode).toBe(200);
  });

  it('that is busy is answered with when to come back', async () => {
    portal.org.failure = new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', 'REQUEST_LIMIT_EXCEEDED');
    const answer = await portal.get('alice', '/api/orders');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '60']);
  });
});
