import { INTERNALS } from '@bff/infra/cache/read-through/cache-internals';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import type { DomainCache } from '@bff/infra/cache/domain-cache';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import { loadConfig } from '@bff/modules/config/load-config';
import { AccountCdcSubscriber } from '@bff/modules/catalog/account-cdc.subscriber';
import { CatalogCacheService } from '@bff/modules/catalog/catalog-cache.service';
import { CatalogCdcSubscriber } from '@bff/modules/catalog/catalog-cdc.subscriber';
import { MappingCacheService } from '@bff/modules/identity/mapping-cache.service';
import { OrderCdcSubscriber } from '@bff/modules/orders/order-cdc.subscriber';
import { OrdersCacheService } from '@bff/modules/orders/orders-cache.service';

/** The feeds that the buckets of a domain watch. */
function feedsWatchedBy(cache: CacheService, make: (cache: CacheService) => DomainCache): string[][] {
  const asked: string[][] = [];
  const watch = cache[INTERNALS].watchFeeds.bind(cache);
  cache[INTERNALS].watchFeeds = (names) => {
    asked.push([...names]);
    return watch(names);
  };
  make(cache);
  cache[INTERNALS].watchFeeds = watch;
  return asked;
}

const pseudonyms = new Pseudonyms();
let cache: CacheService;
beforeEach(() => void (cache = composeCache({ feedLostMaxAgeSeconds: 60, feedAges: createFleet().leases })));
afterEach(() => cache.close());

it('buckets name feeds that a subscriber of ours listens for: of another one nobody would ever say that it is followed', () => {
  const config = loadConfig({});
  const catalog = new CatalogCacheService(cache);
  const subscribers = [
    new OrderCdcSubscriber(new OrdersCacheService(cache), config),
    new CatalogCdcSubscriber(catalog, config),
    new AccountCdcSubscriber(catalog, new MappingCacheService(cache, pseudonyms), config),
  ];
  const followed = new Set(subscribers.flatMap(({ subscriptions }) => subscriptions.map(({ name }) => name)));
  const orders = feedsWatchedBy(cache, (c) => new OrdersCacheService(c));
  const products = feedsWatchedBy(cache, (c) => new CatalogCacheService(c));
  expect(orders).toEqual([
    ['Order', 'OrderItem'],
    ['Order', 'OrderItem', 'Product2'],
  ]);
  expect(products).toEqual([['Product2', 'PricebookEntry'], ['Product2'], ['Account', 'account eligibility']]);
  const mappings = feedsWatchedBy(cache, (c) => new MappingCacheService(c, pseudonyms));
  expect(mappings).toEqual([['Account']]);
  expect([...orders, ...products, ...mappings].flat().filter((name) => !followed.has(name))).toEqual([]);
});
