import { createCache } from '@bff/infra/cache/create-cache';
import { CacheService } from '@bff/infra/cache/cache.service';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../support/change-event.js';
import { CaseCdcSubscriber } from './case-cdc.subscriber.js';
import { CasesCacheService } from './cases-cache.service.js';

const ACCOUNT = toSalesforceId('001000000000001');
const CASE = toSalesforceId('500000000000001');

describe('cases', () => {
  let cache: CacheService;
  let rows: object[];
  let queries: number;
  let cases: CasesCacheService;
  let change: (changedFields: string[]) => Promise<void>;
  beforeEach(() => {
    cache = createCache(); // the embedded store: no Redis needed
    [rows, queries] = [[{ Id: CASE, AccountId: ACCOUNT, Subject: 'No signal', Status: 'New' }], 0];
    const salesforce = { query: () => Promise.resolve((queries++, rows)) } as unknown as SalesforceClient;
    cases = new CasesCacheService(cache, salesforce);
    const [subscription] = new CaseCdcSubscriber(cases).subscriptions;
    change = async (changedFields) => {
      const event = changeEvent({ entityName: 'Case', recordIds: [CASE], changedFields });
      await cache.invalidate(...(subscription?.dependencies(event) ?? []));
    };
  });
  afterEach(() => cache.close());

  it('are asked for once, and again when one has changed', async () => {
    await cases.ofAccount(ACCOUNT);
    expect(await cases.ofAccount(ACCOUNT)).toEqual([{ id: CASE, subject: 'No signal', status: 'New' }]);
    expect(queries).toBe(1);
    rows = [{ Id: CASE, AccountId: ACCOUNT, Subject: 'No signal', Status: 'Closed' }];
    await change(['Status']);
    expect(await cases.ofAccount(ACCOUNT)).toMatchObject([{ status: 'Closed' }]);
  });

  it('stay when only a field changed that none of them shows, and fall when a case moves', async () => {
    await cases.ofAccount(ACCOUNT);
    await change(['Routing_Note__c', 'LastModifiedDate']);
    await cases.ofAccount(ACCOUNT);
    expect(queries).toBe(1);
    rows = [];
    await change(['AccountId']);
    expect(await cases.ofAccount(ACCOUNT)).toEqual([]);
  });

  it('are never those of another account, whatever the source answers', async () => {
    rows = [{ Id: CASE, AccountId: toSalesforceId('001000000000002'), Subject: 'Secret', Status: 'New' }];
    await expect(cases.ofAccount(ACCOUNT)).rejects.toMatchObject({ code: 'SALESFORCE_INVALID_ANSWER' });
  });

  it('are found by their key, whose list fell', () => {
    expect(cases.accountOf(`cases:account:${ACCOUNT}`)).toBe(ACCOUNT);
    expect(cases.accountOf(`orders:account:${ACCOUNT}`)).toBeUndefined();
  });
});
