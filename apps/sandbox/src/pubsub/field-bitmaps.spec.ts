import { describe, expect, it } from '@jest/globals';
import { eventSchema } from '../events/event-schema.js';
import { address, field } from '../org/field-definition.js';
import { ObjectDefinition } from '../org/object-definition.js';
import { fieldBitmaps } from './field-bitmaps.js';

/**
 * Account with the positions of the guide's samples: Name 1, BillingAddress 4, Fax 7, Industry 11, Description 16,
 * LastModifiedDate 22.
 */
const guidesAccount = new ObjectDefinition('Account', '001', [
  field('Name', 'string'),
  field('Type', 'string'),
  field('ParentId', 'string'),
  ...address('Billing'),
  ...address('Shipping'),
  ...['Phone', 'Fax', 'AccountNumber', 'Website', 'Sic', 'Industry'].map((name) => field(name, 'string')),
  field('AnnualRevenue', 'currency'),
  field('NumberOfEmployees', 'int'),
  ...['Ownership', 'TickerSymbol', 'Description', 'Rating', 'Site', 'OwnerId'].map((name) => field(name, 'string')),
  field('External_Account_ID__c', 'string'),
]);

describe('the bitmaps of a change event', () => {
  const schema = eventSchema(guidesAccount);

  // The samples are those of the Change Data Capture guide, "Fields in Change Event Header" and "Data Differences in
  // Event Fields".
  it.each([
    ['Industry', ['Industry', 'LastModifiedDate'], ['0x400800']],
    ['Fax', ['Fax', 'LastModifiedDate'], ['0x400080']],
    ['a part of an address', ['BillingStreet', 'LastModifiedDate'], ['0x400000', '4-0x01']],
    ['a long text', ['Description', 'LastModifiedDate'], ['0x410000']],
    ['the difference of a long text', ['Description'], ['0x010000']],
  ])('are those of the guide for %s', (_what, names, bitmaps) => {
    expect(fieldBitmaps(schema, names)).toEqual(bitmaps);
  });

  it('name the header by the least bit, so that the first field has the second', () => {
    expect(fieldBitmaps(schema, ['Name'])).toEqual(['0x02']);
  });

  it('are upper case with an even number of digits, whatever the order of the names', () => {
    expect(fieldBitmaps(schema, ['LastModifiedDate', 'ShippingCity', 'BillingCountry', 'BillingCity', 'Sic'])).toEqual([
      '0x400400',
      '4-0x12',
      '5-0x02',
    ]);
    expect(fieldBitmaps(schema, ['AnnualRevenue', 'Website', 'Industry'])).toEqual(['0x1A00']);
  });

  it('name parts alone where no other field is named, and nothing where none is', () => {
    expect(fieldBitmaps(schema, ['BillingStreet'])).toEqual(['4-0x01']);
    expect(fieldBitmaps(schema, [])).toEqual([]);
    expect(fieldBitmaps(schema, ['NotInThisSchema'])).toEqual([]);
  });

  it('reach beyond 32 fields: custom fields stand behind the system’s', () => {
    expect(fieldBitmaps(schema, ['External_Account_ID__c'])).toEqual(['0x01000000']);
    for (let i = 0; i < 20; i++) guidesAccount.addField(field(`Extra_${i}__c`, 'string'));
    expect(fieldBitmaps(eventSchema(guidesAccount), ['Extra_19__c', 'Name'])).toEqual(['0x100000000002']);
  });
});
