import { beforeEach, describe, expect, it } from '@jest/globals';
import { cometdPayload } from '../cometd/cometd-payload.js';
import { Org } from '../org/org.js';
import { Permissions } from '../org/permissions.js';
import { ChangeEvents } from './change-events.js';
import { Channels } from './channels.js';
import { EventDelivery } from './event-delivery.js';
import { EventLog } from './event-log.js';
import { EventSchemas } from './event-schemas.js';

const SALES = '/data/Sales__chn';

describe('channels', () => {
  let org: Org;
  let log: EventLog;
  let channels: Channels;
  let permissions: Permissions;
  let changes: ChangeEvents;
  let account: string;

  beforeEach(() => {
    org = new Org();
    account = org.create('Account', { Name: 'Acme', Phone: '1' });
    permissions = new Permissions(org);
    channels = new Channels(org, permissions.canViewAll);
    log = new EventLog(org.clock);
    changes = new ChangeEvents(org, channels, new EventSchemas(), new EventDelivery(log));
  });

  const order = (fields = {}): string =>
    org.create('Order', { AccountId: account, EffectiveDate: '2026-01-01', Status: 'Draft', ...fields });
  /** The messages that a subscriber of the channel receives for everything published, as CometD shows them. */
  const delivered = (name: string) =>
    log
      .after(-1, 1_000)
      .flatMap((event) => channels.find(name)?.messages(event) ?? [])
      .map(({ event, content }) => {
        const { ChangeEventHeader, ...fields } = cometdPayload(content, event.schema) as {
          ChangeEventHeader: { entityName: string; changeType: string; recordIds: string[]; changedFields: string[] };
          [field: string]: unknown;
        };
        return { replayId: event.replayId, header: ChangeEventHeader, fields };
      });

  it('of one object carry its events only; the channel of all changes those of every selected object', () => {
    order();
    org.update('Account', account, { Name: 'Acme 2' });
    expect(delivered('/data/OrderChangeEvent').map(({ header }) => header.entityName)).toEqual(['Order']);
    expect(delivered('/data/ChangeEvents').map(({ header }) => header.entityName)).toEqual(['Order', 'Account']);
  });

  it('do not exist for objects that are not selected, nor in another case', () => {
    for (const name of [
      '/data/Pricebook2ChangeEvent',
      '/data/orderchangeevent',
      '/data/NoChangeEvent',
      '/event/No__e',
      SALES,
    ])
      expect(channels.find(name)).toBeUndefined();
    expect(channels.find('/event/Account_Eligibility_Update__e')?.name).toBe('/event/Account_Eligibility_Update__e');
  });

  it('[N1] begin when a client asks for an object that nobody has selected, unless somebody has deselected it', () => {
    org.create('Case', { AccountId: account, Subject: 'nobody has asked yet' });
    expect(channels.open('/data/CaseChangeEvent')?.object?.name).toBe('Case');
    const id = org.create('Case', { AccountId: account, Subject: 'No signal' });
    expect(delivered('/data/CaseChangeEvent').map(({ header }) => header.recordIds)).toEqual([[id]]);
    expect(channels.selectedObjects()).toContain('Case');
    channels.select(org.existingObject('Case'), false);
    for (const name of [
      '/data/CaseChangeEvent',
      '/data/casechangeevent',
      '/data/NoChangeEvent',
      '/data/UserChangeEvent',
    ])
      expect(channels.open(name)).toBeUndefined();
    channels.select(org.existingObject('Case'), true);
    expect(channels.open('/data/CaseChangeEvent')).toBeDefined();
  });

  it('bring events of another entity when another object is selected', () => {
    channels.select(org.existingObject('Pricebook2'), true);
    org.create('Pricebook2', { Name: 'Special' });
    expect(delivered('/data/ChangeEvents').map(({ header }) => header.entityName)).toEqual(['Pricebook2']);
    channels.select(org.existingObject('Pricebook2'), false);
    org.create('Pricebook2', { Name: 'Another' });
    expect(log.after(-1, 10)).toHaveLength(1);
  });

  it('refuse what cannot be captured', () => {
    expect(() => channels.select(org.existingObject('User'), true)).toThrow('does not support Change Data Capture');
    expect(() => channels.add('/data/Sales')).toThrow('named like Orders__chn');
    channels.add(SALES);
    expect(() => channels.add(SALES)).toThrow('exists already');
    expect(() => channels.setMember(SALES, 'NoChangeEvent', [])).toThrow('there is no change event');
    expect(() => channels.setMember(SALES, 'OrderChangeEvent', ['Nope__c'])).toThrow('no field Nope__c');
    expect(() => channels.setMember(SALES, 'OrderChangeEvent', ['SystemModstamp'])).toThrow('no field');
    expect(() => channels.setMember(SALES, 'OrderChangeEvent', Array<string>(11).fill('Status'))).toThrow('at most 10');
  });

  describe('that are custom', () => {
    beforeEach(() => channels.add(SALES));

    it('carry their members only, selected in Setup or not', () => {
      channels.setMember(SALES, 'Pricebook2ChangeEvent', []);
      order();
      org.create('Pricebook2', { Name: 'Special' });
      expect(delivered(SALES).map(({ header }) => header.entityName)).toEqual(['Pricebook2']);
      expect(delivered('/data/ChangeEvents').map(({ header }) => header.entityName)).toEqual(['Order']);
    });

    it('add the enriched fields to updates and deletions, as they are when the event is delivered', () => {
      channels.setMember(SALES, 'OrderChangeEvent', ['AccountId', 'Description', 'Status']);
      const id = order();
      org.update('Order', id, { Status: 'Approved' });
      org.update('Order', id, { Description: 'written later' });
      org.delete('Order', id);
      const [created, approved, , deleted] = delivered(SALES);
      expect(created?.fields).not.toHaveProperty('Description');
      expect(approved?.fields).toMatchObject({ AccountId: account, Status: 'Approved', Description: 'written later' });
      expect(approved?.header.changedFields).toEqual(['Status', 'LastModifiedDate']);
      expect(deleted?.fields).toEqual({ AccountId: account, Description: 'written later', Status: 'Approved' });
    });

    it('leave empty enriched fields out', () => {
      channels.setMember(SALES, 'OrderChangeEvent', ['Description']);
      org.update('Order', order(), { Status: 'Approved' });
      expect(delivered(SALES)[1]?.fields).not.toHaveProperty('Description');
    });

    it('take a merged event apart where it is enriched: a message a record, all with its replay id', () => {
      channels.setMember(SALES, 'OrderChangeEvent', ['PoNumber']);
      const ids = [order({ PoNumber: 'a' }), order({ PoNumber: 'b' }), order({ PoNumber: 'c' })];
      org.transaction((transaction) => ids.forEach((id) => transaction.update('Order', id, { Status: 'Approved' })));
      const messages = delivered(SALES).slice(3);
      expect(messages.map(({ header }) => header.recordIds)).toEqual(ids.map((id) => [id]));
      expect(messages.map(({ fields }) => fields['PoNumber'])).toEqual(['a', 'b', 'c']);
      expect(new Set(messages.map(({ replayId }) => replayId)).size).toBe(1);
      expect(delivered('/data/OrderChangeEvent').at(-1)?.header.recordIds).toEqual(ids);
    });

    it('do not enrich gaps, overflows and wildcards, whose records are not known', () => {
      channels.setMember(SALES, 'OrderChangeEvent', ['Status']);
      const id = order();
      for (const changeType of ['GAP_UPDATE', 'GAP_OVERFLOW'] as const)
        changes.publishHeader({ entityName: 'Order', changeType, recordIds: [id, id] });
      changes.publishHeader({ entityName: 'Order', changeType: 'UPDATE', recordIds: ['801*'] });
      expect(
        delivered(SALES)
          .slice(1)
          .map(({ header, fields }) => [header.changeType, fields]),
      ).toEqual([
        ['GAP_UPDATE', {}],
        ['GAP_OVERFLOW', {}],
        ['UPDATE', {}],
      ]);
    });

    it('say when they are gone', () => {
      const gone: string[] = [];
      channels.onRemoved((name) => gone.push(name));
      expect(channels.remove(SALES)).toBe(true);
      expect(channels.remove(SALES)).toBe(false);
      expect(gone).toEqual([SALES]);
      expect(channels.find(SALES)).toBeUndefined();
    });
  });

  it('are refused or silent when the user may not see all records', () => {
    permissions.set('Order', true, false);
    order();
    org.update('Account', account, { Name: 'Acme 2' });
    expect(channels.find('/data/OrderChangeEvent')?.canSubscribe()).toBe(false);
    expect(channels.find('/data/ChangeEvents')?.canSubscribe()).toBe(true);
    expect(delivered('/data/ChangeEvents').map(({ header }) => header.entityName)).toEqual(['Account']);
    expect(permissions.lacking()).toEqual(['Order']);
    expect(() => permissions.set('User', true, false)).toThrow('cannot be changed');
  });

  it('count what is not selected too, so that the numbers of a transaction can have holes', () => {
    org.transaction((transaction) => {
      transaction.create('Pricebook2', { Name: 'not selected' });
      transaction.update('Account', account, { Name: 'second' });
    });
    expect(
      delivered('/data/ChangeEvents').map(({ header }) => (header as { sequenceNumber?: number }).sequenceNumber),
    ).toEqual([2]);
  });
});
