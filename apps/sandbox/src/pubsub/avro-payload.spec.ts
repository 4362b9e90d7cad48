import { describe, expect, it } from '@jest/globals';
import avro from 'avsc';
import { EMPTY_BODY } from '../events/change-body.js';
import { eventSchema } from '../events/event-schema.js';
import type { ChangeContent, ChangeHeader } from '../events/org-event.js';
import { Org } from '../org/org.js';
import { decodeEvent, encodeEvent } from './avro-payload.js';

const HEADER: ChangeHeader = {
  entityName: 'Order',
  recordIds: ['8015g000000000BAAQ', '8015g000000000CAAQ'],
  changeType: 'UPDATE',
  changeOrigin: 'com/salesforce/api/rest/67.0;client=x',
  transactionKey: '0000654a-b07c-5852-d65f-47dc5ecd631d',
  sequenceNumber: 3,
  commitTimestamp: 1_714_149_392_000,
  commitNumber: 1_652_977_933_433_528_300n,
  commitUser: '0055f000005mc66AAA',
};

/** Reads longs as BigInts, as a client does that knows only the text of the schema. */
const bigLongs = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => Number(a - b),
});
const read = (json: string, payload: Buffer): Record<string, unknown> =>
  avro.Type.forSchema(JSON.parse(json), { registry: { long: bigLongs } }).fromBuffer(payload);

describe('the Avro payload of an event', () => {
  const order = new Org().existingObject('Order');
  const schema = eventSchema(order);

  it('carries the header exactly, commit numbers beyond 2^53 included, and null for every field that was not changed', () => {
    const content: ChangeContent = {
      kind: 'change',
      header: HEADER,
      fields: {
        Status: 'Activated',
        EndDate: null,
        BillingCity: 'Osaka',
        EffectiveDate: '2026-11-20',
        LastModifiedDate: '2026-11-20T10:00:00.000Z',
      },
      changed: ['Status', 'EndDate', 'BillingCity', 'EffectiveDate', 'LastModifiedDate'],
      diffs: [],
      enriched: [],
    };
    const { ChangeEventHeader, ...fields } = read(schema.json, encodeEvent(content, schema));
    expect(ChangeEventHeader).toMatchObject({ ...HEADER, commitTimestamp: BigInt(HEADER.commitTimestamp) });
    expect(fields).toMatchObject({
      Status: 'Activated',
      EndDate: null,
      TotalAmount: null,
      EffectiveDate: BigInt(Date.UTC(2026, 10, 20)),
      LastModifiedDate: BigInt(Date.UTC(2026, 10, 20, 10)),
      BillingAddress: { City: 'Osaka', Street: null },
      ShippingAddress: null,
    });
    const names = ['ChangeEventHeader', ...schema.fields.map((entry) => entry.name)];
    const { changedFields, nulledFields } = ChangeEventHeader as { changedFields: string[]; nulledFields: string[] };
    expect(namesIn(changedFields[0] as string, names)).toEqual([
      'EffectiveDate',
      'EndDate',
      'Status',
      'LastModifiedDate',
    ]);
    expect(changedFields[1]).toBe(`${names.indexOf('BillingAddress')}-0x02`);
    expect(namesIn(nulledFields[0] as string, names)).toEqual(['EndDate']);
  });

  it('is a header only for a gap', () => {
    const header = { ...HEADER, changeType: 'GAP_OVERFLOW' as const, recordIds: ['000000000000000AAA'] };
    const { ChangeEventHeader, ...fields } = read(
      schema.json,
      encodeEvent({ kind: 'change', header, ...EMPTY_BODY }, schema),
    );
    expect(ChangeEventHeader).toMatchObject({ changeType: 'GAP_OVERFLOW', changedFields: [], nulledFields: [] });
    expect(Object.values(fields).every((value) => value === null)).toBe(true);
  });

  it('of a platform event is read back as it was published', () => {
    const event = eventSchema(new Org().existingObject('Account_Eligibility_Update__e'));
    const fields = {
      CreatedDate: '2026-11-20T10:00:00.000Z',
      CreatedById: '0055g000000000BAAQ',
      Account_Id__c: '0015g000000000BAAQ',
      Internet_Eligibility_Status__c: null,
    };
    const payload = encodeEvent({ kind: 'platform', id: 'x', fields }, event);
    const { Internet_Eligibility_Status__c: _empty, ...given } = fields;
    expect(decodeEvent(payload, event)).toEqual(given);
    expect(() => decodeEvent(Buffer.from('nonsense'), event)).toThrow();
  });

  it('has another schema id when the object has got a field, and the same when it has not', () => {
    const object = new Org().existingObject('Order');
    expect(eventSchema(object).id).toBe(schema.id);
    object.addField({ ...[...object.fields].slice(-1)[0]!, name: 'Later__c' });
    expect(eventSchema(object).id).not.toBe(schema.id);
  });
});

function namesIn(bitmap: string, names: readonly string[]): string[] {
  const mask = BigInt(bitmap);
  return names.filter((_, i) => (mask >> BigInt(i)) & 1n);
}
