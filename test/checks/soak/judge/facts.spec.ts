import { describe, expect, it } from '@jest/globals';
import { factsOf, plainName, versionFields } from './facts.js';

describe('the versions that a page shows', () => {
  it('of an order are those of the order, its lines and their products', () => {
    const { EffectiveDate } = versionFields.order(7);
    const item = { id: '802', productId: '01t', ...{ description: versionFields.item(3).Description } };
    const { Name } = versionFields.product('Router', 5);
    const order = {
      id: '801',
      orderNumber: '1',
      effectiveDate: EffectiveDate,
      items: [{ ...item, productName: Name }],
    };
    expect(factsOf(order)).toEqual([
      { fact: 'Order 801', version: 7 },
      { fact: 'OrderItem 802', version: 3 },
      { fact: 'Product2 01t', version: 5 },
    ]);
    expect(factsOf([order]).length).toBe(3);
  });

  it('of a category are those of its products and prices', () => {
    const product = { id: '01t', name: 'Router #5', price: versionFields.price(9).UnitPrice };
    expect(factsOf({ category: 'x', products: [product] })).toEqual([
      { fact: 'Product2 01t', version: 5 },
      { fact: 'PricebookEntry 01t', version: 9 },
    ]);
  });

  it('of an eligibility is that of its account', () => {
    const regions = versionFields.account(4).Eligible_Regions__c.split(';');
    expect(factsOf({ accountId: '001', regions })).toEqual([{ fact: 'Account 001', version: 4 }]);
  });

  it('are none where somebody else wrote', () => {
    const order = {
      id: '801',
      orderNumber: '1',
      effectiveDate: '2025-03-01',
      items: [{ id: '802', description: 'burst 1' }],
    };
    expect(factsOf(order)).toEqual([]);
    expect(factsOf({ products: [{ id: '01t', name: 'Router', price: 900 }] })).toEqual([]);
    expect(factsOf({ accountId: '001', regions: ['East'] })).toEqual([]);
  });

  it('leave the name as it was', () => {
    expect(plainName('Router #12')).toBe('Router');
    expect(plainName('Router')).toBe('Router');
  });
});
