import { describe, expect, it } from '@jest/globals';
import avro from 'avsc';
import fc from 'fast-check';
import { EventSchema } from './event-schema.js';
import { eventOfPubSub } from './pubsub-event.js';

const TOPIC = '/data/OrderChangeEvent';
const texts = { type: 'array', items: 'string' };
const optional = (name: string, type: unknown): object => ({ name, type: ['null', type], default: null });

const header = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: texts },
    {
      name: 'changeType',
      type: {
        type: 'enum',
        name: 'ChangeType',
        symbols: ['CREATE', 'UPDATE', 'DELETE', 'UNDELETE', 'GAP_UPDATE', 'GAP_OVERFLOW', 'SNAPSHOT', 'MERGE'],
      },
    },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: texts },
    { name: 'diffFields', type: texts },
    { name: 'changedFields', type: texts },
  ],
};
const address = {
  type: 'record',
  name: 'Address',
  fields: [optional('Street', 'string'), optional('City', 'string')],
};
const definition = {
  type: 'record',
  name: 'OrderChangeEvent',
  namespace: 'com.sforce.eventbus',
  fields: [
    { name: 'ChangeEventHeader', type: header },
    optional('AccountId', 'string'),
    optional('Status', 'string'),
    optional('BillingAddress', address),
    optional('TotalAmount', 'double'),
    optional('Description', 'string'),
    optional('LastModifiedDate', 'long'),
    optional('Big__c', 'long'),
  ],
};
const schema = new EventSchema(JSON.stringify(definition));

/** avsc alone writes longs only up to 2^53. */
const bigLongs = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: () => 0,
});
const writer = avro.Type.forSchema(definition as avro.Schema, { registry: { long: bigLongs } });

const NONE = { nulledFields: [], diffFields: [], changedFields: [] };

function payload(given: object = {}, fields: object = {}): Buffer {
  return writer.toBuffer({
    ChangeEventHeader: {
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      changeType: 'UPDATE',
      changeOrigin: 'com/salesforce/api/rest/67.0;client=x',
      transactionKey: '0001ae4b-0000',
      sequenceNumber: 1,
      commitTimestamp: 1712694387000n,
      commitNumber: 1652977933433528300n,
      commitUser: '0055f000005mc66AAA',
      ...NONE,
      ...given,
    },
    ...Object.fromEntries(definition.fields.slice(1).map((field) => [(field as { name: string }).name, null])),
    ...fields,
  });
}

function decoded(bytes: Buffer, with_: EventSchema | string = schema, topic = TOPIC) {
  return eventOfPubSub({ topic, replayId: 'AAAAAAAAA+g=', event: { id: '', schemaId: 'S', payload: bytes } }, with_);
}

describe('an event of the Pub/Sub API', () => {
  it('becomes the change event that CometD would have brought', () => {
    const bytes = payload({ changedFields: ['0x44'] }, { Status: 'Activated', LastModifiedDate: 1712694387000n });
    expect(decoded(bytes)).toEqual({
      kind: 'change',
      topic: TOPIC,
      replayId: 'AAAAAAAAA+g=',
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      scope: 'records',
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate'],
      commitTimestamp: 1712694387000,
      transactionKey: '0001ae4b-0000',
      sequenceNumber: 1,
      fields: { Status: 'Activated', LastModifiedDate: 1712694387000 },
    });
  });

  it('tells an emptied field from an unchanged one by its bit alone', () => {
    const emptied = { changedFields: ['0x44'], nulledFields: ['0x04'] };
    expect(decoded(payload(emptied, { LastModifiedDate: 1n }))).toMatchObject({
      changedFields: ['Status', 'LastModifiedDate'],
      fields: { Status: null, LastModifiedDate: 1 },
    });
  });

  it('knows the parts of compound fields, set and emptied', () => {
    const header_ = { changedFields: ['0x40', '3-0x03'], nulledFields: ['3-0x02'] };
    const fields = { BillingAddress: { Street: '1 Main St', City: null }, LastModifiedDate: 1n };
    expect(decoded(payload(header_, fields))).toMatchObject({
      changedFields: ['LastModifiedDate', 'BillingAddress'],
      fields: { BillingAddress: { Street: '1 Main St', City: null }, LastModifiedDate: 1 },
    });
    expect(decoded(payload({ ...header_, changedFields: ['0x40', '3-0x02'] }, { LastModifiedDate: 1n }))).toMatchObject(
      {
        changedFields: ['LastModifiedDate', 'BillingAddress'],
        fields: { BillingAddress: { City: null } },
      },
    );
  });

  it('does not take a difference for a value', () => {
    const header_ = { changedFields: ['0x60'], diffFields: ['0x20'] };
    const event = decoded(payload(header_, { Description: '--- a\n+++ b', LastModifiedDate: 1n }));
    expect(event).toMatchObject({ changedFields: ['Description', 'LastModifiedDate'] });
    expect(event).toHaveProperty('fields', { LastModifiedDate: 1 });
  });

  it('keeps what enrichment added to an update and to a deletion', () => {
    const fields = { AccountId: '001xx0000000001AAA', Status: 'Draft' };
    expect(decoded(payload({ changedFields: ['0x04'] }, fields))).toMatchObject({ changedFields: ['Status'], fields });
    expect(decoded(payload({ changeType: 'DELETE' }, fields))).toMatchObject({ changedFields: undefined, fields });
  });

  it.each(['CREATE', 'UNDELETE'])('carries what is not empty on %s', (changeType) => {
    const fields = { AccountId: '001xx0000000001AAA', BillingAddress: { Street: null, City: 'Kyoto' }, TotalAmount: 0 };
    const event = decoded(payload({ changeType }, fields));
    expect(event).toMatchObject({ changeType, changedFields: undefined });
    expect(event).toHaveProperty('fields', { ...fields, BillingAddress: { City: 'Kyoto' } });
  });

  it('keeps longs beyond 2^53 exact, as text', () => {
    const long = { Big__c: 9007199254740993n };
    expect(decoded(payload({ changeType: 'CREATE' }, long))).toHaveProperty('fields', { Big__c: '9007199254740993' });
    expect(decoded(payload({ changeType: 'CREATE' }, { Big__c: -5n }))).toHaveProperty('fields', { Big__c: -5 });
  });

  it.each([
    ['no bitmaps at all', {}],
    ['a bit that no field has', { changedFields: ['0x400000'] }],
    ['something else than a bitmap', { changedFields: ['Status'] }],
    ['an unreadable bitmap of emptied fields beside a readable one', { changedFields: ['0x04'], nulledFields: ['x'] }],
    ['an unreadable bitmap of differences beside a readable one', { changedFields: ['0x04'], diffFields: ['x'] }],
  ])('with %s does not tell what an update changed, and carries no fields that would pass for it', (_, given) => {
    // AccountId may have been emptied: a caller that reads the carried fields as the changed ones would miss the move.
    const event = decoded(payload(given, { Status: 'Draft', AccountId: null }));
    expect(event).toMatchObject({ kind: 'change', recordIds: ['801xx0000000001AAA'], changedFields: undefined });
    expect(event).toHaveProperty('fields', {});
  });

  it.each([
    ['an overflow', { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }],
    ['an update with the empty id', { recordIds: ['000000000000000AAA'] }],
    ['a wildcard', { recordIds: ['001*'] }],
  ])('stands for the whole entity in %s', (_, given) => {
    expect(decoded(payload(given))).toMatchObject({ scope: 'entity', recordIds: [], fields: {} });
  });

  it('of a platform event keeps its fields', () => {
    const platform = new EventSchema(
      JSON.stringify({
        type: 'record',
        name: 'P__e',
        fields: [{ name: 'CreatedDate', type: 'long' }, optional('Account_Id__c', 'string')],
      }),
    );
    const bytes = avro.Type.forSchema({
      type: 'record',
      name: 'P__e',
      fields: [
        { name: 'CreatedDate', type: 'long' },
        { name: 'Account_Id__c', type: ['null', 'string'] },
      ],
    }).toBuffer({ CreatedDate: 5, Account_Id__c: '001xx0000000001AAA' });
    expect(decoded(bytes, platform, '/event/P__e')).toEqual({
      kind: 'platform',
      topic: '/event/P__e',
      replayId: 'AAAAAAAAA+g=',
      fields: { CreatedDate: 5, Account_Id__c: '001xx0000000001AAA' },
    });
  });

  it.each([
    ['a cut payload', payload().subarray(0, 40), schema],
    ['bytes behind the payload', Buffer.concat([payload(), Buffer.from([1])]), schema],
    ['nothing', Buffer.alloc(0), schema],
    ['an unknown change type', payload({ changeType: 'MERGE' }), schema],
    ['a malformed record id', payload({ recordIds: ['nonsense'] }), schema],
    ['a schema that could not be had', payload(), 'the schema is unknown'],
    ['a list that claims to be longer than the message', longList(), schema],
  ])('with %s is undecodable, never skipped', (_, bytes, by) => {
    expect(decoded(bytes, by)).toMatchObject({ kind: 'undecodable', topic: TOPIC, replayId: 'AAAAAAAAA+g=' });
  });

  it('without a payload is undecodable', () => {
    expect(eventOfPubSub({ topic: TOPIC, replayId: 'AA==', event: null }, schema)).toMatchObject({
      kind: 'undecodable',
    });
  });

  it('is read in bounded time and space, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['change', 'undecodable']).toContain(decoded(Buffer.from(bytes)).kind);
      }),
      { numRuns: 500 },
    );
  });
});

/** The beginning of a payload: an empty `entityName`, then a list that claims to hold 2^31 record ids. */
function longList(): Buffer {
  return Buffer.from([0, 0x80, 0x80, 0x80, 0x80, 0x10]);
}
