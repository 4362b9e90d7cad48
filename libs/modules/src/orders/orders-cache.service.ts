import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, Invalidation } from '@bff/infra/cache/cache.types';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import type { CachedOrder, OrderSummary } from './order.types.js';

/**
 * Orders until Salesforce says they changed: the list of an account (`orders:account:<accountId>`) and single orders
 * (`orders:detail:<orderId>`). Fetchers name every order, order item and product that they read.
 */
@Injectable()
export class OrdersCacheService extends DomainCache {
  private readonly account = this.bucket<OrderSummary[]>('account', { strategy: changeDriven(), cacheNull: false });
  /**
   * That there is no such order is not kept: a customer could make up ids without end, and a Redis that evicts nothing
   * would have to keep every one of them. The price is one query for each time that such an id is asked for.
   */
  private readonly detail = this.bucket<CachedOrder | null>('detail', { strategy: changeDriven(), cacheNull: false });

  constructor(cache: CacheService) {
    super('orders', cache);
  }

  getOrderSummaries(account: SalesforceId, fetcher: Fetcher<OrderSummary[]>): Promise<OrderSummary[]> {
    return this.account.get([account], fetcher);
  }

  /** `null`: there is no such order, which is asked anew each time. */
  getOrder(order: SalesforceId, fetcher: Fetcher<CachedOrder | null>): Promise<CachedOrder | null> {
    return this.detail.get([order], fetcher);
  }

  /** Names the list of one account, for those who know that it changed but not which of its rows. */
  accountList(account: SalesforceId): Dependency {
    return this.account.entry([account]);
  }

  /**
   * After a write of ours: drops the list of the account, and what shows the order if its id is known. Resolves when
   * acknowledged.
   */
  invalidateWritten(account: SalesforceId, order?: SalesforceId): Promise<Invalidation> {
    return this.invalidate([this.accountList(account), ...(order === undefined ? [] : [record('Order', order)])]);
  }

  /** Drops what depends on any of these, in this domain and others. Resolves when acknowledged. */
  invalidateDependencies(dependencies: readonly Dependency[]): Promise<Invalidation> {
    return this.invalidate(dependencies);
  }
}
