import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { membership, record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { expect, it } from '@jest/globals';

interface Order {
  readonly id: string;
  readonly status: string;
}

interface OrderSource {
  ordersOf(account: string): Promise<Order[]>;
}

class OrdersCache extends DomainCache {
  private readonly byAccount = this.bucket<Order[]>('account', { strategy: changeDriven() });

  constructor(
    cache: CacheService,
    private readonly source: OrderSource,
  ) {
    super('orders', cache);
  }

  /** One fetch for all who ask at the same time, in any process. The value says what it was built from. */
  ofAccount(account: string): Promise<Order[]> {
    return this.byAccount.get([account], async ({ dependsOn }) => {
      const orders = await this.source.ordersOf(account);
      dependsOn(membership('Order'), ...orders.map((order) => record('Order', order.id)));
      return orders;
    });
  }

  /** Resolves when no later read, in any process, returns an older version of this order. */
  changed(id: string): Promise<Invalidation> {
    return this.invalidate([record('Order', id)]);
  }
}

it('the cache of README.md fetches once, and again when an order has changed', async () => {
  let orders: Order[] = [{ id: '801', status: 'Draft' }];
  let fetches = 0;
  const cache = createCache();
  const ordersCache = new OrdersCache(cache, { ordersOf: () => Promise.resolve((fetches++, orders)) });
  await Promise.all([ordersCache.ofAccount('a'), ordersCache.ofAccount('a')]);
  expect(fetches).toBe(1);
  orders = [{ id: '801', status: 'Activated' }];
  expect(await ordersCache.changed('801')).toMatchObject({ dropped: 1 });
  expect(await ordersCache.ofAccount('a')).toEqual(orders);
  expect(fetches).toBe(2);
  await cache.close();
});
