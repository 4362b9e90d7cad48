import { AbsenceBudget } from '@bff/infra/callers/absence-budget';
import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, Invalidation } from '@bff/infra/cache/cache.types';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { isSalesforceId, toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import type { OrderDetail, OrderSummary } from './order.types.js';

/** How long it is remembered that an account has no order with an id. */
const ABSENT_SECONDS = 10;
/** How many such ids of one account are remembered at a time, in each process. */
const ABSENT_MAX = 100;

/**
 * Orders, kept until Salesforce announces a change: the list of an account (`orders:account:<accountId>`) and single
 * orders (`orders:detail:<accountId>:<orderId>`). The account is part of every key, so no entry serves two accounts.
 * Fetchers name every order, order item and product that they read.
 */
@Injectable()
export class OrdersCacheService extends DomainCache {
  private readonly absences = new AbsenceBudget(ABSENT_MAX, ABSENT_SECONDS * 1_000);
  private readonly account = this.bucket<OrderSummary[], [account: SalesforceId]>('account', {
    strategy: changeDriven({ toldBy: ['Order', 'OrderItem'] }),
    cacheNull: false,
  });
  /**
   * A customer can invent ids without end, so "there is none" is kept for a short time, for few ids of each account.
   */
  private readonly detail = this.bucket<OrderDetail | null | undefined, [account: SalesforceId, order: SalesforceId]>(
    'detail',
    {
      strategy: changeDriven({ toldBy: ['Order', 'OrderItem', 'Product2'] }),
      negativeTtlSeconds: ABSENT_SECONDS,
    },
  );

  constructor(cache: CacheService) {
    super('orders', cache);
  }

  getOrderSummaries(account: SalesforceId, fetcher: Fetcher<OrderSummary[]>): Promise<OrderSummary[]> {
    return this.account.get([account], fetcher);
  }

  /**
   * The account's order; null if it has none with this id, which is remembered for at most ten seconds, and dropped
   * earlier by the order's own event. For accounts that ask for very many such ids it is not remembered at all.
   */
  async getOrder(
    account: SalesforceId,
    order: SalesforceId,
    fetcher: Fetcher<OrderDetail | null>,
  ): Promise<OrderDetail | null> {
    const found = await this.detail.get([account, order], async (context) => {
      const fetched = await fetcher(context);
      return fetched === null && !this.absences.take(account) ? undefined : fetched;
    });
    return found ?? null;
  }

  /**
   * Whether there is an entry of the account's list or, with `order`, of that order; rejects while the store is away.
   */
  async isKept(account: SalesforceId, order?: SalesforceId): Promise<boolean> {
    const key = order === undefined ? this.account.key([account]) : this.detail.key([account, order]);
    return (await this.cache.status(key)) === 'exists';
  }

  /** The account whose list or order has this key, even if the entry is gone; undefined for every other key. */
  ownerOf(key: string): SalesforceId | undefined {
    const list = this.account.partsOf(key);
    const [account = '', ...more] = list ?? this.detail.partsOf(key) ?? [];
    // An older version's key of an order names no account.
    return isSalesforceId(account) && more.length === (list ? 0 : 1) ? toSalesforceId(account) : undefined;
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
    return this.invalidate(this.accountList(account), ...(order === undefined ? [] : [record('Order', order)]));
  }
}
