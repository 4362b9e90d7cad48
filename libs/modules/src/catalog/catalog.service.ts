import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import { CatalogCacheService } from './catalog-cache.service.js';
import { CatalogQueries } from './catalog-queries.js';
import type { CatalogPage, Category, Eligibility, Option } from './catalog.types.js';

const UNKNOWN = { availability: null, stock: null };

/** The catalog as the portal shows it, and what an account may order of it. */
@Injectable()
export class CatalogService {
  constructor(
    private readonly cache: CatalogCacheService,
    private readonly queries: CatalogQueries,
  ) {}

  categories(): Promise<Category[]> {
    return this.cache.getCategories((context) => this.queries.categories(context));
  }

  /** The choices of a picklist field, e.g. `('Order', 'Type')`. */
  options(object: string, field: string): Promise<Option[]> {
    return this.cache.getOptions(`${object}.${field}`, () => this.queries.options(object, field));
  }

  /** Products of a category with prices and availability; undefined if there is no category of this name. */
  async page(slug: string, region?: string): Promise<CatalogPage | undefined> {
    const category = (await this.categories()).find((each) => each.slug === slug);
    if (!category) return undefined;
    const [products, availability] = await Promise.all([
      this.cache.getProducts(slug, region, (context) => this.queries.products(category.family, region, context)),
      this.cache.getAvailability(slug, (context) => this.queries.availability(category.family, context)),
    ]);
    return {
      category: slug,
      label: category.label,
      region: region ?? null,
      products: products.map((product) => ({ ...product, ...(availability[product.id] ?? UNKNOWN) })),
    };
  }

  /** Undefined if the account is not there any more. */
  async eligibility(account: SalesforceId): Promise<Eligibility | undefined> {
    const found = await this.cache.getEligibility(account, (context) => this.queries.eligibility(account, context));
    return found ?? undefined;
  }
}
