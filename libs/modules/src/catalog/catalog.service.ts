import { CacheError } from '@bff/infra/cache/cache.errors';
import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import { CatalogCacheService } from './catalog-cache.service.js';
import { CatalogQueries } from './catalog-queries.js';
import type { CatalogPage, Category, Eligibility, Offer } from './catalog.types.js';

const UNKNOWN = { availability: null, stock: null };

/**
 * Minimum time between two lookups of one list past the cache. A name that the cached list lacks needs a lookup,
 * because no event announces a new choice of a picklist.
 */
const LOOK_AGAIN_MS = 60_000;

/** The catalog as the portal shows it, and an account's eligibility. */
@Injectable()
export class CatalogService {
  /** When each list was last looked up past the cache, or was to be, because the cached one lacked a name. */
  private readonly lookedAgainAt = new Map<string, number>();

  constructor(
    private readonly cache: CatalogCacheService,
    private readonly queries: CatalogQueries,
  ) {}

  categories(): Promise<Category[]> {
    return this.cache.getCategories((context) => this.queries.categories(context));
  }

  /** The regions where products are sold, by Salesforce's names. */
  async regions(): Promise<string[]> {
    const options = await this.cache.getOptions('Product2.Region__c', (context) =>
      this.queries.options('Product2', 'Region__c', context),
    );
    return options.map(({ value }) => value);
  }

  /** The region of this name in Salesforce's spelling; undefined if there is none. Ignores case. */
  async region(name: string): Promise<string | undefined> {
    const find = async () => (await this.regions()).find((each) => each.toLowerCase() === name.toLowerCase());
    return (await find()) ?? ((await this.looksAgain('Product2.Region__c')) ? find() : undefined);
  }

  /** Products of a category with prices and availability; undefined if there is no category of this name. */
  async page(slug: string, region?: string): Promise<CatalogPage | undefined> {
    const category = await this.category(slug);
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

  /**
   * Those of these products that a category lists, by id. It reads whole lists through the cache, which all customers
   * share, so ids that a customer makes up cause no query.
   */
  async offers(productIds: readonly string[]): Promise<ReadonlyMap<string, Offer>> {
    const wanted = new Set(productIds);
    const categories = await this.categories();
    const lists = await Promise.all(
      categories.map(async ({ slug, family }) => {
        const products = await this.cache.getProducts(slug, undefined, (context) =>
          this.queries.products(family, undefined, context),
        );
        return products
          .filter(({ id }) => wanted.has(id))
          .map(({ id, region, price }): Offer => ({ id, family, region, price }));
      }),
    );
    return new Map(lists.flat().map((offer) => [offer.id, offer]));
  }

  /** Undefined if the account no longer exists. */
  async eligibility(account: SalesforceId): Promise<Eligibility | undefined> {
    const found = await this.cache.getEligibility(account, (context) => this.queries.eligibility(account, context));
    return found ?? undefined;
  }

  private async category(slug: string): Promise<Category | undefined> {
    const find = async () => (await this.categories()).find((each) => each.slug === slug);
    return (await find()) ?? ((await this.looksAgain()) ? find() : undefined);
  }

  /** Forgets the list, at most once a minute because callers can invent names. Returns whether to look again. */
  private async looksAgain(field?: string): Promise<boolean> {
    const list = field ?? 'categories';
    const now = performance.now();
    if (now - (this.lookedAgainAt.get(list) ?? -Infinity) < LOOK_AGAIN_MS) return false;
    this.lookedAgainAt.set(list, now);
    try {
      await this.cache.forgetList(field);
      return true;
    } catch (error) {
      // The old list may still be served, so a second look would be in vain. Mostly the store is away; then the list
      // has just been read from Salesforce.
      if (error instanceof CacheError) return false;
      throw error;
    }
  }
}
