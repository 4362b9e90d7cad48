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

let inSource: Order[] = [{ id: '801', status: 'Draft' }];
let fetches = 0;

async function ordersOf(_account: string): Promise<Order[]> {
  fetches += 1;
  return inSource;
}

class OrdersCache extends DomainCache {
  private readonly byAccount = this.bucket<Order[]>('account', { strategy: changeDriven() });

  constructor(cache: CacheService) {
    super('orders', cache);
  }

  /** One fetch for all who ask at the same time, in any process. The value says what it was built from. */
  ofAccount(account: string): Promise<Order[]> {
    return this.byAccount.get([account], async ({ dependsOn }) => {
      const orders = await ordersOf(account); // slow, and metered
      dependsOn(membership('Order'), ...orders.map((order) => record('Order', order.id)));
      return orders;
    });
  }

  /** Resolves when no later read, in any process, returns an older version of this order. */
  changed(id: string): Promise<Invalidation> {
    return this.invalidate(record('Order', id));
  }
}

it('the cache of README.md fetches once, and again when an order has changed', async () => {
  const cache = createCache();
  const orders = new OrdersCache(cache);
  await Promise.all([orders.ofAccount('a'), orders.ofAccount('a')]);
  expect(fetches).toBe(1);
  inSource = [{ id: '801', status: 'Activated' }];
  expect(await orders.changed('801')).toMatchObject({ dropped: 1 });
  expect(await orders.ofAccount('a')).toEqual(inSource);
  expect(fetches).toBe(2);
  await cache.close();
});
