import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import type { Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, hybrid } from '@bff/infra/cache/strategies';
import { isSalesforceId, toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import type { CatalogProduct, Category, Eligibility, Option, ProductAvailability } from './catalog.types.js';

/**
 * The catalog, kept until Salesforce announces a change; availability and stock for a minute at most. Shared entries
 * (`catalog`, `static`, `volatile`) and entries of one account (`eligibility`) use different buckets, so customers'
 * data never mixes with shared data.
 */
@Injectable()
export class CatalogCacheService extends DomainCache {
  private readonly products = this.bucket<CatalogProduct[], [category: string, region: string]>('catalog', {
    strategy: changeDriven({ toldBy: ['Product2', 'PricebookEntry'] }),
    cacheNull: false,
  });
  private readonly optionLists = this.bucket<Category[] | Option[]>('static', {
    strategy: changeDriven({ toldBy: 'Product2' }),
  });
  /** Not every stock movement has a change event, so entries may be at most a minute old. */
  private readonly volatile = this.bucket<Record<string, ProductAvailability>, [category: string]>('volatile', {
    strategy: hybrid(60),
  });
  private readonly eligibility = this.bucket<Eligibility | null, [account: SalesforceId]>('eligibility', {
    strategy: changeDriven({ toldBy: ['Account', 'account eligibility'] }),
  });

  constructor(cache: CacheService) {
    super('catalog', cache);
  }

  /** Products of a category that are sold in a region, or in any region if none is given (`*` in the key). */
  getProducts(
    category: string,
    region: string | undefined,
    fetcher: Fetcher<CatalogProduct[]>,
  ): Promise<CatalogProduct[]> {
    return this.products.get([category, region ?? '*'], fetcher);
  }

  getCategories(fetcher: Fetcher<Category[]>): Promise<Category[]> {
    return this.optionLists.get(['categories'], fetcher) as Promise<Category[]>;
  }

  /** The choices of a field, e.g. `Order.Type`. */
  getOptions(field: string, fetcher: Fetcher<Option[]>): Promise<Option[]> {
    return this.optionLists.get(['options', field], fetcher) as Promise<Option[]>;
  }

  /** Availability and stock of a category's products, by product id. */
  getAvailability(
    category: string,
    fetcher: Fetcher<Record<string, ProductAvailability>>,
  ): Promise<Record<string, ProductAvailability>> {
    return this.volatile.get([category], fetcher);
  }

  getEligibility(account: SalesforceId, fetcher: Fetcher<Eligibility | null>): Promise<Eligibility | null> {
    return this.eligibility.get([account], fetcher);
  }

  /** The dependency on one account's eligibility entry. */
  accountEligibility(account: SalesforceId): Dependency {
    return this.eligibility.entry([account]);
  }

  /** The account whose eligibility is stored under this key; undefined for every other key. */
  eligibilityOwner(key: string): SalesforceId | undefined {
    const [id = ''] = this.eligibility.partsOf(key) ?? [];
    return isSalesforceId(id) ? toSalesforceId(id) : undefined;
  }

  /** Drops the categories, or the choices of a field, without counting an invalidation: no change was announced. */
  async forgetList(field?: string): Promise<void> {
    await this.cache.invalidate(this.optionLists.entry(field === undefined ? ['categories'] : ['options', field]));
  }
}
