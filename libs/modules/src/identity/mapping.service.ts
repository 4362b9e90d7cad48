import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { AccountRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable, Logger } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';
import { MappingCacheService } from './mapping-cache.service.js';

/**
 * Maximum number of accounts read for a user, including those whose user differs by case only. If there are as many,
 * the user counts as ambiguous.
 */
const CANDIDATES_MAX = 10;

/** Finds the account of a portal user; none if it is not certain which one that is. */
@Injectable()
export class MappingService {
  private readonly logger = new Logger(MappingService.name);

  constructor(
    private readonly cache: MappingCacheService,
    private readonly salesforce: SalesforceClient,
  ) {}

  /**
   * Undefined if no account names exactly this user, or if several do or may: then it is unknown whose data to show.
   * SOQL's `=` ignores case (SOQL and SOSL Reference, "Comparison Operators") while a token's subject is case-sensitive
   * (OpenID Connect Core, section 2), so this compares Salesforce's results once more.
   */
  async resolve(userId: string): Promise<AccountMapping | undefined> {
    const mapping = await this.cache.get(userId, async (context) => {
      // An event with too little detail may mean that another account now names this user, too.
      context.dependsOn(membership('Account'));
      const found = await this.salesforce.query<AccountRecord>(
        soql`SELECT Id, Portal_User_Id__c, WHMCS_Client_Id__c FROM Account
          WHERE Portal_User_Id__c = ${userId} LIMIT ${CANDIDATES_MAX}`,
        { signal: context.signal },
      );
      context.dependsOn(...found.map((account) => record('Account', toSalesforceId(account.Id))));
      const [account, ...others] = found.filter((each) => each.Portal_User_Id__c === userId);
      // Beyond the limit there may be a second account of the same user.
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
