import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { AccountRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable, Logger } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';
import { MappingCacheService } from './mapping-cache.service.js';

/** Accounts whose user differs from the asked one by case only are read too; more of them than this are not told apart. */
const CANDIDATES_MAX = 10;

/** Finds the account of a portal user. */
@Injectable()
export class MappingService {
  private readonly logger = new Logger(MappingService.name);

  constructor(
    private readonly cache: MappingCacheService,
    private readonly salesforce: SalesforceClient,
  ) {}

  /**
   * Undefined if no account names exactly this user, or if two do: then it is not known whose data to show. SOQL's `=`
   * ignores case (SOQL and SOSL Reference, "Comparison Operators") while a token's subject is case-sensitive (OpenID
   * Connect Core, section 2), so what Salesforce finds is compared once more here.
   */
  async resolve(userId: string): Promise<AccountMapping | undefined> {
    const mapping = await this.cache.get(userId, async (context) => {
      // Of a change that says too little it is not known whether the account has come to name this user, too.
      context.dependsOn(membership('Account'));
      const found = await this.salesforce.query<AccountRecord>(
        soql`SELECT Id, Portal_User_Id__c, WHMCS_Client_Id__c FROM Account
          WHERE Portal_User_Id__c = ${userId} LIMIT ${CANDIDATES_MAX}`,
        { signal: context.signal },
      );
      context.dependsOn(...found.map((account) => record('Account', toSalesforceId(account.Id))));
      const [account, ...others] = found.filter((each) => each.Portal_User_Id__c === userId);
      // A full page may hide a second account of the same user.
      if (others.length > 0 || found.length === CANDIDATES_MAX) {
        this.logger.error('several accounts name the same Portal_User_Id__c; none is used');
        return null;
      }
      return account ? toAccountMapping(account) : null;
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
