import { randomBytes } from 'node:crypto';
import { composeCache } from '@bff/infra/cache/create-cache';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { MappingCacheService } from './mapping-cache.service.js';
import { MappingService } from './mapping.service.js';

const encryptionKeys = [{ id: 'test', secret: randomBytes(32) }];
const ALICE = '001000000000001';
const OTHER = '001000000000002';

/** Answers every query with the accounts of these users, like an org in which `=` ignores case. */
function mappings(...accounts: readonly (readonly [id: string, user: string])[]): MappingService {
  const rows = accounts.map(([Id, user]) => ({ Id, Portal_User_Id__c: user, WHMCS_Client_Id__c: '11' }));
  const salesforce = { query: () => Promise.resolve(rows) } as unknown as SalesforceClient;
  return new MappingService(new MappingCacheService(composeCache({ encryptionKeys }), new Pseudonyms()), salesforce);
}

describe('the account of a user', () => {
  it('is never that of a user whose id differs by case', async () => {
    expect(await mappings([ALICE, 'Alice']).resolve('alice')).toBeUndefined();
  });

  it('is the one that names exactly this user, whatever ids differ only by case', async () => {
    const found = await mappings([OTHER, 'ALICE'], [ALICE, 'alice'], ['001000000000003', 'Alice']).resolve('alice');
    expect(found).toEqual({ salesforceAccountId: toSalesforceId(ALICE), whmcsClientId: 11 });
  });

  it('is nobody’s when two accounts name the same user, or may do so', async () => {
    expect(await mappings([ALICE, 'alice'], [OTHER, 'alice']).resolve('alice')).toBeUndefined();
    const variants = Array.from({ length: 9 }, (_, i) => [`00100000000001${i}`, 'ALICE'] as const);
    expect(await mappings([ALICE, 'alice'], ...variants).resolve('alice')).toBeUndefined();
  });
});
