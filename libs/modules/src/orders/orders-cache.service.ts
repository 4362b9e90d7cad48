import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, Invalidation } from '@bff/infra/cache/cache.types';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { isSalesforceId, toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import type { CachedOrder, OrderSummary } from './order.types.js';

/**
 * Orders, kept until Salesforce announces a change: the list of an account (`orders:account:<accountId>`) and single
 * orders (`orders:detail:<orderId>`). Fetchers name every order, order item and product that they read.
 */
@Injectable()
export class OrdersCacheService extends DomainCache {
  private readonly account = this.bucket<OrderSummary[]>('account', {
    strategy: changeDriven({ toldBy: ['Order', 'OrderItem'] }),
    cacheNull: false,
  });
  /**
   * A missing order is not cached: a customer could invent ids without end, and a Redis without eviction would keep
   * them all. The price is one query each time such an id is requested.
   */
  private readonly detail = this.bucket<CachedOrder | null>('detail', {
    strategy: changeDriven({ toldBy: ['Order', 'OrderItem', 'Product2'] }),
    cacheNull: false,
  });

  /**
   * The account of every order that `detail` has kept. It depends on nothing, so it survives a change of the order,
   * whose event does not name the account. No feed announces a change of owner: every fetch of the order records it
   * again.
   */
  private readonly owner = this.bucket<SalesforceId>('owner', { strategy: changeDriven() });

  constructor(cache: CacheService) {
    super('orders', cache);
  }

  getOrderSummaries(account: SalesforceId, fetcher: Fetcher<OrderSummary[]>): Promise<OrderSummary[]> {
    return this.account.get([account], fetcher);
  }

  /** `null`: there is no such order, which is queried each time. */
  getOrder(order: SalesforceId, fetcher: Fetcher<CachedOrder | null>): Promise<CachedOrder | null> {
    return this.detail.get([order], fetcher);
  }

  /**
   * Whether there is an entry of the account's list or, with `order`, of that order; rejects while the store is away.
   */
  async isKept(account: SalesforceId, order?: SalesforceId): Promise<boolean> {
    const key = order === undefined ? this.account.key([account]) : this.detail.key([order]);
    return (await this.cache.status(key)) === 'exists';
  }

  /** Makes `ownerOf` return this account for the order. Rejects with a `CacheError` while the store is away. */
  async rememberOwner(order: SalesforceId, account: SalesforceId): Promise<void> {
    const known = await this.owner.get([order], () => Promise.resolve(account));
    if (known === account) return;
    await this.cache.del(this.owner.key([order]));
    await this.owner.get([order], () => Promise.resolve(account));
  }

  /** The account whose list or order has this key, even if the entry is gone; undefined if unknown. */
  async ownerOf(key: string): Promise<SalesforceId | undefined> {
    const [domain, bucket, id = ''] = key.split(':');
    if (domain !== this.domain || !isSalesforceId(id)) return undefined;
    if (bucket === this.account.name) return toSalesforceId(id);
    return bucket === this.detail.name ? this.cache.get<SalesforceId>(this.owner.key([id])) : undefined;
  }

  /** The dependency on one account's list, for a caller that knows that the list changed but not which of its rows. */
  accountList(account: SalesforceId): Dependency {
    return this.account.entry([account]);
  }

  /**
   * After a write by this portal: drops the account's list and, if `order` is known, the entries that show the order.
   * Resolves when acknowledged.
   */
  invalidateWritten(account: SalesforceId, order?: SalesforceId): Promise<Invalidation> {
    return this.invalidate([this.accountList(account), ...(order === undefined ? [] : [record('Order', order)])]);
  }
}
