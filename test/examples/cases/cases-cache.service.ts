import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { isSalesforceId, toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';

export interface CaseSummary {
  readonly id: string;
  readonly subject: string;
  readonly status: string;
}

/** Lists of cases, kept until Salesforce says that one of them changed. */
@Injectable()
export class CasesCacheService extends DomainCache {
  private readonly byAccount = this.bucket<CaseSummary[]>('account', { strategy: changeDriven({ toldBy: 'Case' }) });

  constructor(cache: CacheService) {
    super('cases', cache);
  }

  /** The fetcher names every case that it read. */
  getCases(account: SalesforceId, fetcher: Fetcher<CaseSummary[]>): Promise<CaseSummary[]> {
    return this.byAccount.get([account], fetcher);
  }

  /** The account whose list has this key; undefined for any other key. */
  accountOf(key: string): SalesforceId | undefined {
    const [domain, bucket, account = ''] = key.split(':');
    if (domain !== this.domain || bucket !== this.byAccount.name || !isSalesforceId(account)) return undefined;
    return toSalesforceId(account);
  }
}
