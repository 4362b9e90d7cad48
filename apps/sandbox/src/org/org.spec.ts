import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { Org } from './org.js';
import { recordId } from './record-ids.js';

describe('ids', () => {
  it('have 18 characters, a right check part, their object’s prefix, and are never given twice', () => {
    const ids = Array.from({ length: 5_000 }, (_, i) => recordId('801', i + 1));
    expect(new Set(ids).size).toBe(5_000);
    for (const id of ids.slice(0, 200)) expect(toSalesforceId(id)).toBe(id);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(5_000);
  });
});

describe('the org', () => {
  const orderOf = (org: Org, account: string): string =>
    org.create('Order', { AccountId: account, EffectiveDate: '2026-01-01', Status: 'Draft' });

  it('numbers orders, and keeps the total and the line’s price', () => {
    const org = new Org();
    const order = orderOf(org, org.create('Account', { Name: 'A' }));
    const product = org.create('Product2', { Name: 'P' });
    const entry = org.create('PricebookEntry', {
      Pricebook2Id: org.standardPricebookId,
      Product2Id: product,
      UnitPrice: 9,
    });
    const line = org.create('OrderItem', { OrderId: order, PricebookEntryId: entry, Quantity: 3, UnitPrice: 0.1 });
    expect(org.find('Order', order)).toMatchObject({
      OrderNumber: '00000100',
      TotalAmount: 0.3,
      Pricebook2Id: org.standardPricebookId,
    });
    expect(org.find('OrderItem', line)).toMatchObject({ Product2Id: product, ListPrice: 9, TotalPrice: 0.3 });
    org.delete('OrderItem', line);
    expect(org.find('Order', order)?.['TotalAmount']).toBe(0);
  });

  it('refuses a line whose price is of another price book than the order’s', () => {
    const org = new Org();
    const order = org.create('Order', {
      AccountId: org.create('Account', { Name: 'A' }),
      EffectiveDate: '2026-01-01',
      Status: 'Draft',
      Pricebook2Id: org.standardPricebookId,
    });
    const book = org.create('Pricebook2', { Name: 'Other' });
    const entry = org.create('PricebookEntry', {
      Pricebook2Id: book,
      Product2Id: org.create('Product2', { Name: 'P' }),
      UnitPrice: 9,
    });
    expect(() =>
      org.create('OrderItem', { OrderId: order, PricebookEntryId: entry, Quantity: 1, UnitPrice: 1 }),
    ).toThrow('price book');
  });

  it('refuses to delete an account that has orders, and references to what is not there', () => {
    const org = new Org();
    const account = org.create('Account', { Name: 'A' });
    orderOf(org, account);
    expect(() => org.delete('Account', account)).toThrow('associated with 1 record(s) of Order');
    expect(() => orderOf(org, recordId('001', 999))).toThrow('invalid cross reference id');
    expect(() => orderOf(org, recordId('801', 1))).toThrow('id value of incorrect type');
  });

  it('[C3] refuses a second record with the same value in a unique field, and names the first', () => {
    const org = new Org();
    const account = org.create('Account', { Name: 'A' });
    const order = (requestId: string | null) =>
      org.create('Order', {
        AccountId: account,
        Status: 'Draft',
        EffectiveDate: '2026-11-01',
        Portal_Request_Id__c: requestId,
      });
    const first = order('abc');
    const text = `duplicate value found: Portal_Request_Id__c duplicates value on record with id: ${first.slice(0, 15)}`;
    expect(() => order('ABC')).toThrow(text);
    const other = order('def');
    expect(() => org.update('Order', other, { Portal_Request_Id__c: 'abc' })).toThrow(text);
    org.update('Order', first, { Portal_Request_Id__c: 'abc', Description: 'itself' });
    expect([order(null), order(null)]).toHaveLength(2);
    org.delete('Order', first);
    const second = order('abc');
    expect(() => org.undelete('Order', first)).toThrow(second.slice(0, 15));
  });

  it('undoes a failed step without touching what came before it', () => {
    const org = new Org();
    org.transaction((transaction) => {
      const kept = transaction.create('Account', { Name: 'kept' });
      const mark = transaction.mark();
      transaction.update('Account', kept, { Name: 'changed' });
      transaction.create('Account', { Name: 'undone' });
      transaction.rollbackTo(mark);
    });
    expect(org.records('Account').map((record) => record['Name'])).toEqual(['kept']);
  });
});
