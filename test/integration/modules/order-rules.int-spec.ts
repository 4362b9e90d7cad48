import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

let portal: Portal;
beforeEach(async () => {
  portal = await Portal.open({ ORDER_TOTAL_MAX: '1000' });
});
afterEach(() => portal.close());

const order = (user: string, productId: string, quantity = 1) =>
  portal.post(user, '/api/orders', { items: [{ productId, quantity }] });
const keyed = (user: string, productId: string, quantity = 1) =>
  portal.post(user, '/api/orders', { items: [{ productId, quantity }] }, 'application/json', {
    'idempotency-key': `"${randomUUID()}"`,
  });
const row = (rows: readonly Record<string, unknown>[], id: string) =>
  rows.find((each) => each['Id'] === id) as Record<string, unknown>;
const ofOrder = () => {
  const { Product2, PricebookEntry, Account, Pricebook2 } = portal.org.queries;
  return [Product2, PricebookEntry, Account, Pricebook2];
};

describe('[C3] before an order is sent', () => {
  it.each([undefined, 'Pending', 'Ineligible'])(
    'an internet product is refused for an account whose eligibility is %s',
    async (status) => {
      row(portal.org.accounts, IDS.bob)['Internet_Eligibility_Status__c'] = status ?? null;
      const answer = await order('bob', IDS.fibre);
      expect([answer.statusCode, answer.json().code]).toEqual([422, 'ORDER_NOT_ELIGIBLE']);
      expect(answer.json().detail).toContain(`${IDS.fibre} (internet service is not confirmed for this account`);
      expect((await order('bob', IDS.esim)).statusCode).toBe(201); // needs no internet
      expect(portal.org.composites).toHaveLength(1);
    },
  );

  it('a product of a region is refused for an account outside of it', async () => {
    row(portal.org.products, IDS.esim)['Region__c'] = 'West';
    const answer = await order('alice', IDS.esim);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'ORDER_NOT_ELIGIBLE']);
    expect(answer.json().detail).toContain(`${IDS.esim} (sold in West; this account's regions: none)`);
    expect((await order('bob', IDS.esim)).statusCode).toBe(201);
    expect(portal.org.composites).toHaveLength(1);
  });

  it('what has changed since the catalog was cached decides, even without its event', async () => {
    expect((await order('alice', IDS.esim)).statusCode).toBe(201);
    row(portal.org.products, IDS.esim)['Region__c'] = 'West';
    expect((await order('alice', IDS.esim)).json().code).toBe('ORDER_NOT_ELIGIBLE');
    row(portal.org.products, IDS.esim)['Region__c'] = null;
    row(portal.org.prices, IDS.esimPrice)['UnitPrice'] = 12;
    expect((await order('alice', IDS.esim)).statusCode).toBe(201);
    expect(portal.org.composites[1]?.[1]?.body).toMatchObject({ UnitPrice: 12 });
    row(portal.org.products, IDS.esim)['IsActive'] = false;
    expect((await order('alice', IDS.esim)).json().code).toBe('ORDER_PRODUCT_NOT_SOLD');
    expect(portal.org.composites).toHaveLength(2);
  });

  it('its total is compared with the limit', async () => {
    expect((await order('alice', IDS.fibre, 25)).statusCode).toBe(201);
    const answer = await order('alice', IDS.fibre, 26);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'ORDER_TOO_LARGE']);
    expect(answer.json().detail).toContain('is 1040, and at most 1000');
    expect(portal.org.composites).toHaveLength(1);
  });
});

describe('[C2] an order that is refused', () => {
  it('for a made-up or unsold product, or for the account, asks nothing once the catalog is cached', async () => {
    await order('alice', IDS.router);
    await order('bob', IDS.fibre);
    const queries = ofOrder();
    await Promise.all([
      ...Array.from({ length: 20 }, (_, n) => order('alice', `01t0000000001${10 + n}`)),
      ...Array.from({ length: 20 }, () => order('alice', IDS.router)),
      ...Array.from({ length: 20 }, () => order('bob', IDS.fibre)),
    ]);
    expect(ofOrder()).toEqual(queries);
    expect(portal.org.composites).toEqual([]);
  });

  it('costs no more than the shared catalog when nothing is cached, however many there are', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => order('alice', `01t0000000001${10 + n}`)));
    // Two categories, each with its products and their prices; the user's account, and its eligibility.
    expect(ofOrder()).toEqual([2, 2, 2, 2]);
  });

  it('for its total, by the cached prices, asks nothing, with or without a key', async () => {
    await order('alice', IDS.fibre);
    expect((await keyed('alice', IDS.fibre)).statusCode).toBe(201);
    const queries = { ...portal.org.queries };
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => order('alice', IDS.fibre, 26)),
      ...Array.from({ length: 20 }, () => keyed('alice', IDS.fibre, 26)),
      ...Array.from({ length: 20 }, () => keyed('alice', IDS.router)),
    ]);
    const codes = answers.map((answer) => answer.json<{ code: string }>().code);
    expect(new Set(codes)).toEqual(new Set(['ORDER_TOO_LARGE', 'ORDER_PRODUCT_NOT_SOLD']));
    expect(portal.org.queries).toEqual(queries);
    expect(portal.org.composites).toHaveLength(2);
  });

  it('for the prices of this moment costs one query, with a key too', async () => {
    expect((await keyed('alice', IDS.fibre)).statusCode).toBe(201);
    row(portal.org.prices, IDS.fibrePrice)['UnitPrice'] = 400; // and no event told it
    const before = { ...portal.org.queries };
    const since = () =>
      Object.entries(portal.org.queries).flatMap(([table, count]) => {
        const more = count - (before[table] ?? 0);
        return more > 0 ? [`${more} ${table}`] : [];
      });
    expect((await order('alice', IDS.fibre, 3)).json().code).toBe('ORDER_TOO_LARGE');
    expect(since()).toEqual(['1 PricebookEntry']);
    expect((await keyed('alice', IDS.fibre, 3)).json().code).toBe('ORDER_TOO_LARGE');
    expect(since()).toEqual(['2 PricebookEntry']);
  });
});
