import { composeCache } from '@bff/infra/cache/create-cache';
import { membership, record, wholeTable } from '@bff/infra/cache/dependencies';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { loadConfig } from '../config/load-config.js';
import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { MappingCacheService } from '../identity/mapping-cache.service.js';
import { changeEvent } from '../../../../test/support/change-event.js';
import { AccountCdcSubscriber } from './account-cdc.subscriber.js';
import { CatalogCacheService } from './catalog-cache.service.js';
import { CatalogCdcSubscriber } from './catalog-cdc.subscriber.js';

const PRODUCT = toSalesforceId('01t000000000001');
const PRICE = toSalesforceId('01u000000000001');
const ACCOUNT = toSalesforceId('001000000000001');
const store = composeCache({});
const [cache, mappings] = [new CatalogCacheService(store), new MappingCacheService(store, new Pseudonyms())];
const config = loadConfig({});
const [products, prices] = new CatalogCdcSubscriber(cache, config).subscriptions;
const [accounts, eligibility] = new AccountCdcSubscriber(cache, mappings, config).subscriptions;

const event = (entityName: string, id: string, given: Partial<ChangeEvent>) =>
  changeEvent({ topic: '/data/x', entityName, recordIds: [id], ...given });

describe('product changes', () => {
  it('[P8] concern that product alone', () => {
    expect(products?.dependencies(event('Product2', PRODUCT, { changedFields: ['Name'] }))).toEqual([
      record('Product2', PRODUCT),
    ]);
  });

  it.each(['Family', 'IsActive', 'Region__c'])('[P9] concern every list when %s changes', (field) => {
    expect(products?.dependencies(event('Product2', PRODUCT, { changedFields: [field] }))).toEqual([
      record('Product2', PRODUCT),
      membership('Product2'),
    ]);
  });

  it('[P9] concern every list when a product is new', () => {
    expect(products?.dependencies(event('Product2', PRODUCT, { changeType: 'CREATE' }))).toEqual([
      record('Product2', PRODUCT),
      membership('Product2'),
    ]);
  });
});

describe('price changes', () => {
  it('[P10] concern entries with that price, or with its product where the event names it', () => {
    expect(prices?.dependencies(event('PricebookEntry', PRICE, { changedFields: ['UnitPrice'] }))).toEqual([
      record('PricebookEntry', PRICE),
    ]);
    const created = event('PricebookEntry', PRICE, { changeType: 'CREATE', fields: { Product2Id: PRODUCT } });
    expect(prices?.dependencies(created)).toEqual([record('PricebookEntry', PRICE), record('Product2', PRODUCT)]);
  });
});

describe('account changes', () => {
  const published = (fields: Record<string, unknown>) =>
    eligibility?.dependencies({ kind: 'platform', topic: '/event/x', replayId: '1', fields });

  it('concern what shows the account', () => {
    expect(accounts?.dependencies(event('Account', ACCOUNT, { changedFields: ['WHMCS_Client_Id__c'] }))).toEqual([
      record('Account', ACCOUNT),
    ]);
  });

  it('concern the mapping of the user whom the account comes to name, whatever that field holds', () => {
    const naming = (user: string) =>
      accounts?.dependencies(event('Account', ACCOUNT, { fields: { Portal_User_Id__c: user } }));
    expect(naming('alice')).toEqual([record('Account', ACCOUNT), mappings.userMapping('alice')]);
    expect(naming('é'.repeat(255))).toEqual([record('Account', ACCOUNT)]);
  });

  it('[A4] concern every mapping when it is not told whom the account names, and none when it names nobody', () => {
    const user = 'Portal_User_Id__c';
    const told = (given: Partial<ChangeEvent>) => accounts?.dependencies(event('Account', ACCOUNT, given));
    const itself = record('Account', ACCOUNT);
    const anybody = [itself, membership('Account')];
    expect(told({ changeType: 'CREATE', fields: { Name: 'A' } })).toEqual([itself]);
    expect(told({ changedFields: [user], fields: { [user]: null } })).toEqual([itself]);
    expect(told({ changedFields: [user], fields: {} })).toEqual(anybody);
    expect(told({ changedFields: undefined, fields: {} })).toEqual(anybody);
    expect(told({ changeType: 'GAP_CREATE' })).toEqual(anybody);
  });

  it('[A4] of other fields concern no mapping of another account', () => {
    expect(
      accounts?.dependencies(event('Account', ACCOUNT, { changedFields: ['Name'], fields: { Name: 'B' } })),
    ).toEqual([record('Account', ACCOUNT)]);
  });

  it('[P11] concern only that account’s eligibility when the org publishes it', () => {
    expect(published({ Account_Id__c: ACCOUNT })).toEqual([cache.accountEligibility(ACCOUNT)]);
    expect(published({ Account_Id__c: ACCOUNT.slice(0, 15) })).toEqual([cache.accountEligibility(ACCOUNT)]);
  });

  it('concern every account when the published event names none', () => {
    expect(published({})).toEqual([wholeTable('Account')]);
    expect(published({ Account_Id__c: 'nonsense' })).toEqual([wholeTable('Account')]);
  });
});
