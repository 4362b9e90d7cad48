import { expect, it } from '@jest/globals';
import { ALL_CHANGES, ORDERS, type EventSourceLab } from './lab.js';

const ITEMS = '/data/OrderItemChangeEvent';

/** How the source delivers the changes of an org, with the headers that the Change Data Capture Guide describes. */
export function describeChanges(lab: () => EventSourceLab): void {
  const org = () => lab().sandbox.org;
  const order = (fields: object = {}): string => {
    const [account] = org().records('Account');
    return org().create('Order', { AccountId: account?.Id, EffectiveDate: '2026-01-01', Status: 'Draft', ...fields });
  };

  it('a creation brings every field that is not empty, compound ones nested', async () => {
    const orders = await lab().listen();
    const id = order({ BillingStreet: '1 Main St', BillingCity: 'Kyoto' });
    const [event] = await orders.changed(1);
    expect(event).toMatchObject({
      topic: ORDERS,
      entityName: 'Order',
      recordIds: [id],
      scope: 'records',
      changeType: 'CREATE',
      changedFields: undefined,
      sequenceNumber: 1,
      transactionKey: expect.stringMatching(/./),
      commitTimestamp: expect.any(Number),
      fields: { Status: 'Draft', BillingAddress: { Street: '1 Main St', City: 'Kyoto' } },
    });
    expect(Object.values(event?.fields ?? {})).not.toContain(null);
  });

  it('an update names its fields, compound ones by their own name, and tells emptied ones from unchanged ones', async () => {
    const id = order({ Description: 'old', BillingCity: 'Kyoto', BillingStreet: 'same' });
    const orders = await lab().listen();
    org().update('Order', id, { Status: 'Activated', Description: null, BillingCity: null });
    const [event] = await orders.changed(1);
    expect(new Set(event?.changedFields)).toEqual(
      new Set(['Status', 'Description', 'BillingAddress', 'LastModifiedDate']),
    );
    const { LastModifiedDate, ...fields } = event?.fields ?? {};
    expect(fields).toEqual({ Status: 'Activated', Description: null, BillingAddress: { City: null } });
    expect(new Date(LastModifiedDate as string | number).getTime()).toBeGreaterThan(0);
  });

  it('a large text that is sent as a difference is named, and is not taken for a value', async () => {
    const lines = Array.from({ length: 100 }, (_, n) => `line ${n} of a long text`);
    const id = order({ Description: lines.join('\n') });
    const orders = await lab().listen();
    org().update('Order', id, { Description: lines.with(50, 'another line').join('\n') });
    const [event] = await orders.changed(1);
    expect(event?.changedFields).toContain('Description');
    expect(event?.fields).not.toHaveProperty('Description');
  });

  it('a deletion has its id alone, an undeletion everything', async () => {
    const id = order({ Description: 'here' });
    const orders = await lab().listen();
    org().delete('Order', id);
    org().undelete('Order', id);
    const [deleted, undeleted] = await orders.changed(2);
    expect(deleted).toMatchObject({ changeType: 'DELETE', recordIds: [id], changedFields: undefined, fields: {} });
    expect(undeleted).toMatchObject({ changeType: 'UNDELETE', recordIds: [id], fields: { Description: 'here' } });
  });

  it('a transaction is one key with numbers, several writes to a record one change', async () => {
    const [first, second] = [order(), order()];
    const orders = await lab().listen();
    org().transaction((transaction) => {
      transaction.update('Order', first, { Description: 'a' });
      transaction.update('Order', second, { Description: 'b' });
      transaction.update('Order', first, { Description: 'c' });
    });
    const changes = await orders.changed(2);
    expect(new Set(changes.map(({ transactionKey }) => transactionKey)).size).toBe(1);
    expect(
      changes.map(({ recordIds, sequenceNumber, fields }) => [recordIds, sequenceNumber, fields['Description']]),
    ).toEqual([
      [[first], 1, 'c'],
      [[second], 2, 'b'],
    ]);
  });

  it('equal changes of several records are one event with all ids', async () => {
    const ids = [order(), order(), order()];
    const orders = await lab().listen();
    org().transaction((transaction) => {
      for (const id of ids) transaction.update('Order', id, { Status: 'Activated' });
    });
    expect(await orders.changed(1)).toMatchObject([{ changeType: 'UPDATE', recordIds: ids, scope: 'records' }]);
  });

  it.each(['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE', 'SNAPSHOT'] as const)(
    '%s tells the records and nothing else',
    async (changeType) => {
      const recordIds = lab().orders(2);
      const orders = await lab().listen();
      lab().sandbox.fault({ fault: 'gap', entityName: 'Order', changeType, recordIds });
      expect(await orders.changed(1)).toMatchObject([
        { changeType, recordIds, scope: 'records', changedFields: undefined, fields: {} },
      ]);
    },
  );

  it.each([
    ['an overflow', { changeType: 'GAP_OVERFLOW' as const, recordIds: [] }],
    ['a wildcard', { changeType: 'UPDATE' as const, recordIds: ['801*'] }],
  ])('%s stands for every record of the object', async (_, header) => {
    const orders = await lab().listen();
    lab().sandbox.fault({ fault: 'gap', entityName: 'Order', ...header });
    expect(await orders.changed(1)).toMatchObject([
      { changeType: header.changeType, entityName: 'Order', scope: 'entity', recordIds: [], changedFields: undefined },
    ]);
  });

  it('an event that comes twice is handed over twice', async () => {
    const orders = await lab().listen();
    lab().sandbox.fault({ fault: 'repeat-events', count: 1 });
    lab().change();
    const [first, second] = await orders.changed(2);
    expect(second).toEqual(first);
    expect(orders.consumer.committed).toBe(first?.replayId);
  });

  it('a field that nobody has heard of comes by its name, and by the same stream', async () => {
    const id = order();
    const orders = await lab().listen();
    lab().change();
    const name = `New_${lab().transport.name}_${Date.now()}__c`;
    lab().sandbox.fault({ fault: 'add-field', entityName: 'Order', name, type: 'string' });
    org().update('Order', id, { [name]: 'x' });
    lab().change();
    const changes = await orders.changed(3);
    expect(changes[1]?.fields).toMatchObject({ [name]: 'x' });
    expect(new Set(changes[1]?.changedFields)).toEqual(new Set([name, 'LastModifiedDate']));
    expect(changes[2]?.changedFields).toEqual(changes[0]?.changedFields);
    expect(orders.health.reconnects).toBe(0);
  });

  it('a standard field that moves those behind it is read by the schema of each event', async () => {
    const id = order({ Description: 'old' });
    const orders = await lab().listen();
    org().update('Order', id, { Description: 'before' });
    const name = `Moved${Date.now()}`;
    lab().sandbox.fault({ fault: 'add-field', entityName: 'Order', name, type: 'string' });
    org().update('Order', id, { Description: 'after', [name]: 'x' });
    const [before, after] = await orders.changed(2);
    expect(before?.changedFields).toEqual(['Description', 'LastModifiedDate']);
    expect(new Set(after?.changedFields)).toEqual(new Set(['Description', name, 'LastModifiedDate']));
  });

  it('an object that nobody has heard of comes by its name on the channel of all changes', async () => {
    lab().sandbox.fault({ fault: 'select-object', entityName: 'Pricebook2', isSelected: true });
    const all = await lab().listen(ALL_CHANGES);
    const id = org().create('Pricebook2', { Name: 'Special' });
    expect(await all.changed(1)).toMatchObject([{ entityName: 'Pricebook2', recordIds: [id], topic: ALL_CHANGES }]);
    lab().sandbox.fault({ fault: 'select-object', entityName: 'Pricebook2', isSelected: false });
  });

  it('a platform event brings its fields', async () => {
    const topic = '/event/Account_Eligibility_Update__e';
    const eligibility = await lab().listen(topic);
    const [account] = org().records('Account');
    org().create('Account_Eligibility_Update__e', { Account_Id__c: account?.Id });
    expect(await eligibility.events(1)).toMatchObject([
      { kind: 'platform', topic, replayId: expect.any(String), fields: { Account_Id__c: account?.Id } },
    ]);
  });

  it('an order item does not tell its order when it changes, unless the channel is enriched with it', async () => {
    const [{ Id: itemId, OrderId }] = org().records('OrderItem') as unknown as [{ Id: string; OrderId: string }];
    const channel = `/data/Items${lab().transport.name}__chn`;
    lab().sandbox.channels.add(channel);
    lab().sandbox.channels.setMember(channel, 'OrderItemChangeEvent', ['OrderId']);
    const [plain, enriched] = [await lab().listen(ITEMS), await lab().listen(channel)];
    org().update('OrderItem', itemId, { Description: `changed ${Date.now()}` });
    const [without] = await plain.changed(1);
    const [with_] = await enriched.changed(1);
    expect(without).toMatchObject({ recordIds: [itemId] });
    expect(without?.fields).not.toHaveProperty('OrderId');
    expect(with_).toMatchObject({ recordIds: [itemId], fields: { OrderId } });
    expect(with_?.changedFields).not.toContain('OrderId');
  });

  it('a merged event comes record by record where it is enriched; its id is committed when it is complete', async () => {
    const items = org().records('OrderItem').slice(0, 3) as unknown as { Id: string; OrderId: string }[];
    const channel = `/data/Merged${lab().transport.name}__chn`;
    lab().sandbox.channels.add(channel);
    lab().sandbox.channels.setMember(channel, 'OrderItemChangeEvent', ['OrderId']);
    const merged = await lab().listen(channel);
    const change = (Description: string): void =>
      org().transaction((transaction) => {
        for (const { Id } of items) transaction.update('OrderItem', Id, { Description });
      });
    change(`together ${Date.now()}`);
    const first = await merged.changed(3);
    expect(new Set(first.map(({ replayId }) => replayId)).size).toBe(1);
    expect(first.map(({ recordIds, fields }) => [recordIds, fields['OrderId']])).toEqual(
      items.map(({ Id, OrderId }) => [[Id], OrderId]),
    );
    expect(merged.consumer.committed).toBeUndefined();
    change(`again ${Date.now()}`);
    await merged.changed(6);
    expect(merged.consumer.committed).toBe(first[0]?.replayId);
  });
}
