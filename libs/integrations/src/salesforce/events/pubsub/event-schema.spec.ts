import { describe, expect, it } from '@jest/globals';
import { EventSchema } from './event-schema.js';

const address = {
  type: 'record',
  name: 'Address',
  fields: ['Street', 'City', 'State'].map((name) => ({ name, type: ['null', 'string'] })),
};

/** The order of fields that the guide's examples assume (AccountChangeEvent). */
const ACCOUNT = [
  'ChangeEventHeader Name Type ParentId BillingAddress ShippingAddress Phone Fax AccountNumber Website Sic Industry',
  'AnnualRevenue NumberOfEmployees Ownership TickerSymbol Description Rating Site OwnerId CreatedDate CreatedById',
  'LastModifiedDate LastModifiedById',
]
  .join(' ')
  .split(' ');

const schema = new EventSchema(
  JSON.stringify({
    type: 'record',
    name: 'AccountChangeEvent',
    namespace: 'com.sforce.eventbus',
    fields: ACCOUNT.map((name) => ({
      name,
      type:
        name === 'BillingAddress'
          ? ['null', address]
          : name === 'Name'
            ? ['null', 'string', person()]
            : ['null', 'string'],
    })),
  }),
);

function person(): object {
  return { type: 'record', name: 'PersonName', fields: [{ name: 'FirstName', type: ['null', 'string'] }] };
}

describe('a bitmap of fields', () => {
  // The examples of the Change Data Capture Developer Guide.
  it.each([
    [['0x400800'], ['Industry', 'LastModifiedDate']],
    [['0x400080'], ['Fax', 'LastModifiedDate']],
    [
      ['0x400000', '4-0x01'],
      ['LastModifiedDate', 'BillingAddress.Street'],
    ],
  ])('%j names %j', (bitmaps, names) => {
    expect(schema.namesIn(bitmaps)).toEqual(names);
  });

  it.each([
    ['lower case', ['0xc00800'], ['Industry', 'LastModifiedDate', 'LastModifiedById']],
    ['upper case', ['0xC00800'], ['Industry', 'LastModifiedDate', 'LastModifiedById']],
    ['an odd number of digits', ['0x800'], ['Industry']],
    ['leading zeros', ['0x0000000000000000000002'], ['Name']],
    ['several parts', ['4-0x06'], ['BillingAddress.City', 'BillingAddress.State']],
    ['parts of a field that has other forms', ['1-0x01'], ['Name.FirstName']],
    ['no bit', ['0x00', '4-0x0'], []],
    ['no digit', ['0x'], []],
    ['no bitmap', [], []],
  ])('may have %s', (_, bitmaps, names) => {
    expect(schema.namesIn(bitmaps)).toEqual(names);
  });

  it.each([['0x1000000'], ['40-0x01'], ['2-0x01'], ['4-0x08'], ['Status'], ['4-'], ['0xZZ'], ['']])(
    '%j is refused: it names no field of the schema',
    (bitmap) => {
      expect(() => schema.namesIn([bitmap])).toThrow(/position|bitmap/);
    },
  );

  it('finds fields far beyond 64 bits', () => {
    const fields = Array.from({ length: 500 }, (_, n) => ({ name: `F${n}`, type: ['null', 'string'] }));
    const wide = new EventSchema(JSON.stringify({ type: 'record', name: 'Wide', fields }));
    const mask = (1n << 499n) | (1n << 64n) | 1n;
    expect(wide.namesIn([`0x${mask.toString(16)}`])).toEqual(['F0', 'F64', 'F499']);
  });
});

describe('a schema', () => {
  it('is used although a default of it is wrong', () => {
    const fields = [{ name: 'A', type: ['string', 'null'], default: null }];
    expect(new EventSchema(JSON.stringify({ type: 'record', name: 'X', fields })).fieldNames).toEqual(['A']);
  });

  it.each(['', '{', '"string"', '{"type":"record","name":"X"}', '{"type":"map","values":"nonsense"}'])(
    'is refused when it is %j',
    (json) => {
      expect(() => new EventSchema(json)).toThrow();
    },
  );
});
