import { describe, expect, it } from '@jest/globals';
import { Org } from '../org/org.js';
import { seedTelecomPortal } from './telecom-portal.js';

function seeded(): Org {
  const org = new Org();
  seedTelecomPortal(org);
  return org;
}

describe('the made-up portal', () => {
  const org = seeded();

  it('has the size of a real one', () => {
    const products = org.records('Product2');
    expect(products.length).toBeGreaterThanOrEqual(40);
    expect(new Set(products.map((product) => product['Family']))).toEqual(
      new Set(['Internet', 'SIM', 'VPN', 'Voice', 'Hardware']),
    );
    expect(org.records('PricebookEntry')).toHaveLength(products.length);
    expect(org.records('Account').length).toBeGreaterThanOrEqual(200);
    expect(org.records('Order').length).toBeGreaterThanOrEqual(2_000);
    const order = org.schema.object('Order');
    expect(order).toBeDefined();
    const lines = new Map<unknown, number>();
    for (const line of org.records('OrderItem')) lines.set(line['OrderId'], (lines.get(line['OrderId']) ?? 0) + 1);
    expect(lines.size).toBe(org.records('Order').length);
    for (const count of lines.values()) expect(count >= 1 && count <= 4).toBe(true);
  });

  it('has the three demo customers with orders of their own', () => {
    for (const n of [1, 2, 3]) {
      const [account] = org.records('Account', {
        Portal_User_Id__c: `customer-${n}`,
        WHMCS_Client_Id__c: String(1000 + n),
      });
      expect(org.records('Order', { AccountId: account?.Id }).length).toBeGreaterThanOrEqual(5);
    }
  });

  it('is the same at every start, ids and dates included', () => {
    const again = seeded();
    for (const name of ['Account', 'Product2', 'PricebookEntry', 'Order', 'OrderItem', 'Case']) {
      expect(again.records(name)).toEqual(org.records(name));
    }
  });
});
