import { beforeEach, describe, expect, it } from '@jest/globals';
import { Org } from '../org/org.js';
import { cometdPayload } from '../cometd/cometd-payload.js';
import { ChangeEvents } from './change-events.js';
import { Channels } from './channels.js';
import { EventDelivery } from './event-delivery.js';
import { EventLog } from './event-log.js';
import { EventSchemas } from './event-schemas.js';

describe('change events', () => {
  let org: Org;
  let log: EventLog;
  let changes: ChangeEvents;
  let channels: Channels;
  let account: string;
  let entry: string;

  beforeEach(() => {
    org = new Org();
    account = org.create('Account', { Name: 'Acme' });
    const product = org.create('Product2', { Name: 'Line', IsActive: true });
    entry = org.create('PricebookEntry', { Pricebook2Id: org.standardPricebookId, Product2Id: product, UnitPrice: 5 });
    log = new EventLog(org.clock);
    channels = new Channels(org, () => true);
    changes = new ChangeEvents(org, channels, new EventSchemas(), new EventDelivery(log));
  });

  const events = () =>
    log.after(-1, 1_000).map(({ replayId, channel, schema, content }) => {
      return { replayId, channel, schema: schema.id, payload: cometdPayload(content, schema) };
    });
  const headers = () => events().map((event) => event.payload['ChangeEventHeader'] as Record<string, unknown>);
  const order = (fields = {}): string =>
    org.create('Order', { AccountId: account, EffectiveDate: '2026-01-01', Status: 'Draft', ...fields });
  const line = (orderId: string): string =>
    org.create('OrderItem', { OrderId: orderId, PricebookEntryId: entry, Quantity: 2, UnitPrice: 5 });

  it('tell a creation with every field that is not empty, addresses nested', () => {
    const id = order({ BillingStreet: '1 Main St', BillingCity: 'Kyoto' });
    const [event] = events();
    expect(event).toMatchObject({ channel: '/data/OrderChangeEvent', schema: expect.stringMatching(/^[\w-]{22}$/) });
    expect(event?.payload).toMatchObject({
      ChangeEventHeader: {
        entityName: 'Order',
        changeType: 'CREATE',
        recordIds: [id],
        changedFields: [],
        changeOrigin: '',
      },
      AccountId: account,
      Status: 'Draft',
      BillingAddress: { Street: '1 Main St', City: 'Kyoto' },
      CreatedDate: expect.stringMatching(/000Z$/),
    });
    for (const absent of ['Type', 'IsDeleted', 'SystemModstamp', 'Id', 'BillingStreet', 'ShippingAddress']) {
      expect(event?.payload).not.toHaveProperty(absent);
    }
  });

  it('tell an update with the changed fields only, and null for an emptied one', () => {
    const id = order({ Description: 'old', BillingCity: 'Kyoto', BillingStreet: 'same' });
    org.update('Order', id, { Status: 'Activated', Description: null, BillingCity: 'Osaka', Type: null });
    const { ChangeEventHeader, ...fields } = events()[1]?.payload as {
      ChangeEventHeader: { changeType: string; changedFields: string[] };
    };
    expect(ChangeEventHeader.changeType).toBe('UPDATE');
    expect(new Set(ChangeEventHeader.changedFields)).toEqual(
      new Set(['Status', 'Description', 'BillingAddress.City', 'LastModifiedDate']),
    );
    expect(fields).toEqual({
      Status: 'Activated',
      Description: null,
      BillingAddress: { City: 'Osaka' },
      LastModifiedDate: expect.any(String),
    });
  });

  it('tell nothing of a write that changes nothing', () => {
    const id = order();
    const before = org.find('Order', id);
    org.update('Order', id, { Status: 'Draft' });
    expect(events()).toHaveLength(1);
    expect(org.find('Order', id)).toBe(before);
  });

  it('tell of an order line, and not of the order whose total it rolls up into', () => {
    const id = order();
    line(id);
    expect(org.find('Order', id)?.['TotalAmount']).toBe(10);
    expect(headers().map((header) => `${String(header['entityName'])} ${String(header['changeType'])}`)).toEqual([
      'Order CREATE',
      'OrderItem CREATE',
    ]);
  });

  it('do not carry OrderId when a line is changed or deleted', () => {
    const lineId = line(order());
    org.update('OrderItem', lineId, { Quantity: 3 });
    org.delete('OrderItem', lineId);
    const [, , updated, deleted] = events().map((event) => event.payload);
    expect(updated).toMatchObject({ Quantity: 3, TotalPrice: 15 });
    expect(updated).not.toHaveProperty('OrderId');
    expect(Object.keys(deleted as object)).toEqual(['ChangeEventHeader']);
  });

  it('tell a deletion of the order and, in one merged event, of its lines; an undeletion in full', () => {
    const id = order();
    const lines = [line(id), line(id)];
    org.delete('Order', id);
    const [ofLines, ofOrder] = headers().slice(-2);
    expect(ofLines).toMatchObject({
      entityName: 'OrderItem',
      changeType: 'DELETE',
      recordIds: lines,
      sequenceNumber: 1,
    });
    expect(ofOrder).toMatchObject({ entityName: 'Order', changeType: 'DELETE', recordIds: [id], sequenceNumber: 2 });
    expect(ofLines?.['transactionKey']).toEqual(expect.any(String));
    expect(ofLines?.['transactionKey']).toBe(ofOrder?.['transactionKey']);
    org.undelete('Order', id);
    expect(events().at(-1)?.payload).toMatchObject({ Status: 'Draft', ChangeEventHeader: { changeType: 'UNDELETE' } });
  });

  it('fold what one transaction did to one record into one event of the first kind with the final data', () => {
    org.transaction((transaction) => {
      const id = transaction.create('Account', { Name: 'A' });
      transaction.update('Account', id, { Name: 'B' });
      const short = transaction.create('Account', { Name: 'short-lived' });
      transaction.delete('Account', short);
    });
    expect(events().map((event) => event.payload)).toMatchObject([
      { Name: 'B', ChangeEventHeader: { changeType: 'CREATE' } },
    ]);
  });

  it('merge the same update of several records', () => {
    const ids = [order(), order()];
    org.transaction((transaction) => ids.forEach((id) => transaction.update('Order', id, { Status: 'Approved' })));
    expect(headers().at(-1)).toMatchObject({ recordIds: ids, changeType: 'UPDATE' });
    expect(events()).toHaveLength(3);
  });

  it('are not published when the transaction fails, and the records are as before', () => {
    const failing = (): void =>
      org.transaction((transaction) => {
        transaction.update('Account', account, { Name: 'changed' });
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(events()).toEqual([]);
    expect(org.find('Account', account)?.['Name']).toBe('Acme');
  });

  it('come only from the selected objects; a price book entry’s creation lacks its system fields', () => {
    org.create('ProductCatalog', { Name: 'not selected' });
    const product = org.create('Product2', { Name: 'P' });
    org.create('PricebookEntry', { Pricebook2Id: org.standardPricebookId, Product2Id: product, UnitPrice: 1 });
    expect(events().map((event) => event.channel)).toEqual([
      '/data/Product2ChangeEvent',
      '/data/PricebookEntryChangeEvent',
    ]);
    expect(events()[1]?.payload).not.toHaveProperty('CreatedDate');
  });

  it('include published platform events on their own channel', () => {
    org.create('Account_Eligibility_Update__e', { Account_Id__c: account });
    expect(events()).toMatchObject([
      { channel: '/event/Account_Eligibility_Update__e', payload: { Account_Id__c: account } },
    ]);
  });

  it('can be gaps, an overflow with the empty id, or lost', () => {
    changes.publishHeader({ entityName: 'Order', changeType: 'GAP_UPDATE', recordIds: [account] });
    changes.publishHeader({ entityName: 'Order', changeType: 'GAP_OVERFLOW', recordIds: [] });
    changes.dropNext(1);
    order();
    expect(headers().map((header) => [header['changeType'], header['recordIds']])).toEqual([
      ['GAP_UPDATE', [account]],
      ['GAP_OVERFLOW', ['000000000000000AAA']],
    ]);
  });

  it('have replay ids that increase by uneven steps and expire after 72 hours', () => {
    const ids = Array.from({ length: 20 }, () => (order(), log.tip));
    const steps = new Set(ids.slice(1).map((id, i) => id - (ids[i] ?? 0)));
    expect([...steps].every((step) => step > 0)).toBe(true);
    expect(steps.size).toBeGreaterThan(1);
    expect(log.has(ids[3] as number)).toBe(true);
    expect(log.has((ids[3] as number) - 1) && log.has((ids[3] as number) + 1)).toBe(false);
    expect(log.after(ids[17] as number, 10).map((event) => event.replayId)).toEqual(ids.slice(18));
    org.clock.advance(72 * 3_600_000 + 1);
    expect(log.has(ids[3] as number)).toBe(false);
    expect(events()).toEqual([]);
  });
});
