import { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext } from '@bff/infra/cache/cache.types';
import { membership, record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { foreignRow } from '@bff/integrations/salesforce/salesforce.errors';
import { isSalesforceId, toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';

interface CaseRecord {
  readonly Id: string;
  readonly AccountId: string;
  readonly Subject: string;
  readonly Status: string;
}

export interface CaseSummary {
  readonly id: string;
  readonly subject: string;
  readonly status: string;
}

/** Lists of cases, kept until Salesforce says that one of them changed. */
@Injectable()
export class CasesCacheService extends DomainCache {
  private readonly byAccount = this.bucket<CaseSummary[], [account: SalesforceId]>('account', {
    strategy: changeDriven({ toldBy: 'Case' }),
    load: ([account], context) => this.load(account, context),
  });

  constructor(
    cache: CacheService,
    private readonly salesforce: SalesforceClient,
  ) {
    super('cases', cache);
  }

  ofAccount(account: SalesforceId): Promise<CaseSummary[]> {
    return this.byAccount.get([account]);
  }

  /** The account whose list has this key; undefined for any other key. */
  accountOf(key: string): SalesforceId | undefined {
    const [account = ''] = this.byAccount.partsOf(key) ?? [];
    return isSalesforceId(account) ? toSalesforceId(account) : undefined;
  }

  private async load(account: SalesforceId, { dependsOn, signal }: FetchContext): Promise<CaseSummary[]> {
    dependsOn(membership('Case')); // a case that is new to the list, or leaves it
    const rows = await this.salesforce.query<CaseRecord>(
      soql`SELECT Id, AccountId, Subject, Status FROM Case WHERE AccountId = ${account}`,
      { signal },
    );
    if (rows.some(({ AccountId }) => toSalesforceId(AccountId) !== account)) throw foreignRow('the cases');
    dependsOn(...rows.map((row) => record('Case', row.Id)));
    return rows.map((row) => ({ id: row.Id, subject: row.Subject, status: row.Status }));
  }
}
