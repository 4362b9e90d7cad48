import { record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { AccountRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable, Logger } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';
import { MappingCacheService } from './mapping-cache.service.js';

/** Finds the account of a portal user. */
@Injectable()
export class MappingService {
  private readonly logger = new Logger(MappingService.name);

  constructor(
    private readonly cache: MappingCacheService,
    private readonly salesforce: SalesforceClient,
  ) {}

  /** Undefined if no account names this user, or if two do: then it is not known whose data to show. */
  async resolve(userId: string): Promise<AccountMapping | undefined> {
    const mapping = await this.cache.get(userId, async (context) => {
      const accounts = await this.salesforce.query<AccountRecord>(
        soql`SELECT Id, WHMCS_Client_Id__c FROM Account WHERE Portal_User_Id__c = ${userId} LIMIT 2`,
        { signal: context.signal },
      );
      context.dependsOn(...accounts.map((account) => record('Account', toSalesforceId(account.Id))));
      const [account] = accounts;
      if (accounts.length > 1) this.logger.error('two accounts name the same Portal_User_Id__c; neither is used');
      return account && accounts.length === 1 ? toAccountMapping(account) : null;
    });
    return mapping ?? undefined;
  }
}

function toAccountMapping(account: Pick<AccountRecord, 'Id' | 'WHMCS_Client_Id__c'>): AccountMapping {
  const client = account.WHMCS_Client_Id__c ?? '';
  return {
    salesforceAccountId: toSalesforceId(account.Id),
    whmcsClientId: /^[1-9]\d{0,14}$/.test(client) ? Number(client) : null,
  };
}
