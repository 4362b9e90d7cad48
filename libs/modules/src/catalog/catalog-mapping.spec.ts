import { describe, expect, it } from '@jest/globals';
import { toCategory, toEligibility } from './catalog-mapping.js';

describe('a category', () => {
  it.each([
    ['Internet', 'internet'],
    ['SIM', 'sim'],
    ['  Home & Office  ', 'home-office'],
    ['Téléphonie', 'telephonie'],
  ])('%p is %p in URLs', (value, slug) => {
    expect(toCategory({ value, label: value, active: true })).toEqual({ slug, family: value, label: value });
  });
});

describe('eligibility', () => {
  it('has a list of regions, empty where the account has none', () => {
    const account = {
      Id: '001000000000001',
      Internet_Eligibility__c: null,
      Internet_Eligibility_Status__c: 'Pending',
      Eligible_Regions__c: 'East; West;',
    };
    expect(toEligibility(account)).toEqual({
      accountId: '001000000000001AAA',
      internet: { eligibility: null, status: 'Pending' },
      regions: ['East', 'West'],
    });
    expect(toEligibility({ ...account, Eligible_Regions__c: null }).regions).toEqual([]);
  });
});
