import { describe, expect, it } from '@jest/globals';
import { eventOfCometd } from './cometd-event.js';

const TOPIC = '/data/OrderChangeEvent';

function message(header: object = {}, fields: object = {}): object {
  const ChangeEventHeader = {
    commitNumber: 1082990428293,
    commitUser: '0055f000005mc66AAA',
    sequenceNumber: 1,
    entityName: 'Order',
    changeType: 'UPDATE',
    changedFields: ['Status', 'LastModifiedDate'],
    changeOrigin: 'com/salesforce/api/rest/67.0;client=x',
    transactionKey: '0001ae4b-0000',
    commitTimestamp: 1712694387000,
    recordIds: ['0015f00002JUZPD'],
    ...header,
  };
  return { schema: 'V2MG', payload: { ChangeEventHeader, ...fields }, event: { replayId: 37904280 } };
}

describe('a CometD message', () => {
  it('becomes a change event with 18-character ids and an opaque replay id', () => {
    expect(eventOfCometd(TOPIC, message({}, { Status: 'Activated' }))).toEqual({
      kind: 'change',
      topic: TOPIC,
      replayId: '37904280',
      entityName: 'Order',
      recordIds: ['0015f00002JUZPDAA5'],
      scope: 'records',
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate'],
      commitTimestamp: 1712694387000,
      transactionKey: '0001ae4b-0000',
      sequenceNumber: 1,
      fields: { Status: 'Activated' },
    });
  });

  it.each([
    ['a wildcard id', { recordIds: ['001*'] }],
    ['the empty id of an overflow', { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }],
    ['an overflow with other ids', { changeType: 'GAP_OVERFLOW', recordIds: ['0015f00002JUZPD'] }],
    ['the empty id outside an overflow', { recordIds: ['000000000000000AAA'] }],
    ['the empty id on a gap', { changeType: 'GAP_UPDATE', recordIds: ['000000000000000AAA'] }],
    ['the empty id beside another', { recordIds: ['0015f00002JUZPD', '000000000000000AAA'] }],
    ['a wildcard id beside another', { recordIds: ['0015f00002JUZPD', '001*'] }],
    ['no id at all', { recordIds: [] }],
  ])('with %s stands for the whole entity', (_, header) => {
    expect(eventOfCometd(TOPIC, message(header))).toMatchObject({ kind: 'change', scope: 'entity', recordIds: [] });
  });

  it('names compound fields by their own name, once', () => {
    const changedFields = ['BillingAddress.Street', 'BillingAddress.City', 'Name'];
    expect(eventOfCometd(TOPIC, message({ changedFields }))).toMatchObject({
      changedFields: ['BillingAddress', 'Name'],
    });
  });

  it('does not take a difference for a value', () => {
    const event = eventOfCometd(TOPIC, message({}, { Status: 'Draft', Description: { diff: '--- a' } }));
    expect(event).toHaveProperty('fields', { Status: 'Draft' });
  });

  it.each([
    ['absent', { changedFields: undefined }],
    ['empty on an UPDATE', { changedFields: [] }],
    ['empty on a CREATE', { changeType: 'CREATE', changedFields: [] }],
    ['empty on a gap', { changeType: 'GAP_UPDATE', changedFields: [] }],
    ['given on anything but an UPDATE', { changeType: 'GAP_UPDATE', changedFields: ['Status'] }],
  ])('does not tell the changed fields when they are %s', (_, header) => {
    expect(eventOfCometd(TOPIC, message(header))).toMatchObject({ kind: 'change', changedFields: undefined });
  });

  it('of a platform event keeps its fields', () => {
    const data = { schema: 'S', payload: { Account_Id__c: '0015f00002JUZPD', Empty__c: null }, event: { replayId: 7 } };
    expect(eventOfCometd('/event/Account_Eligibility_Update__e', data)).toEqual({
      kind: 'platform',
      topic: '/event/Account_Eligibility_Update__e',
      replayId: '7',
      fields: { Account_Id__c: '0015f00002JUZPD' },
    });
  });

  it.each([
    ['an unknown change type', message({ changeType: 'MERGE' }), '37904280'],
    ['a malformed record id', message({ recordIds: ['0015f00002JUZPD', 'nonsense'] }), '37904280'],
    ['no header', { payload: {}, event: { replayId: 8 } }, '8'],
    ['no replay id', { payload: {} }, undefined],
    ['nothing in it', undefined, undefined],
  ])('with %s is undecodable, never skipped', (_, data, replayId) => {
    expect(eventOfCometd(TOPIC, data)).toMatchObject({
      kind: 'undecodable',
      topic: TOPIC,
      replayId,
      reason: expect.any(String),
    });
  });
});
