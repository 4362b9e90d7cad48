import type { FetchContext } from '@bff/infra/cache/cache.types';
import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { foreignRow } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type {
  AccountRecord,
  PricebookEntryRecord,
  Product2Record,
} from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { toCatalogProduct, toCategory, toEligibility } from './catalog-mapping.js';
import type { CatalogProduct, Category, Eligibility, Option, ProductAvailability } from './catalog.types.js';

type ProductRow = Omit<Product2Record, 'IsActive' | 'Family' | 'Availability__c' | 'Stock__c'>;
type PriceRow = Pick<PricebookEntryRecord, 'Id' | 'Product2Id' | 'UnitPrice' | 'IsActive'>;

/**
 * Maximum number of ids in an `IN` list. Each takes 22 characters with its quotes, a comma and a space, so the list
 * stays far below SOQL's limit of 100,000.
 */
const IDS_PER_QUERY = 500;

/** Reads the catalog from Salesforce and names every product, price and account that it reads as a dependency. */
@Injectable()
export class CatalogQueries {
  constructor(private readonly salesforce: SalesforceClient) {}

  /** Active products of a category, with prices; with a region, those sold there or everywhere. */
  async products(family: string, region: string | undefined, context: FetchContext): Promise<CatalogProduct[]> {
    context.dependsOn(membership('Product2'), membership('PricebookEntry'));
    const { signal } = context;
    const rows = await this.salesforce.query<ProductRow>(
      region === undefined
        ? soql`SELECT Id, Name, ProductCode, Description, Region__c, Billing_Cycle__c FROM Product2
            WHERE IsActive = ${true} AND Family = ${family} ORDER BY Name`
        : soql`SELECT Id, Name, ProductCode, Description, Region__c, Billing_Cycle__c FROM Product2
            WHERE IsActive = ${true} AND Family = ${family} AND (Region__c = ${region} OR Region__c = ${null}) ORDER BY Name`,
      { signal },
    );
    const ids = rows.map((row) => toSalesforceId(row.Id));
    context.dependsOn(...ids.map((id) => record('Product2', id)));
    const prices = await this.prices(ids, context);
    return rows.map((row) => toCatalogProduct(row, prices.get(toSalesforceId(row.Id)) ?? null));
  }

  /** Availability and stock of a category's active products, by product id. */
  async availability(family: string, context: FetchContext): Promise<Record<string, ProductAvailability>> {
    context.dependsOn(membership('Product2'));
    const rows = await this.salesforce.query<Pick<Product2Record, 'Id' | 'Availability__c' | 'Stock__c'>>(
      soql`SELECT Id, Availability__c, Stock__c FROM Product2 WHERE IsActive = ${true} AND Family = ${family}`,
      { signal: context.signal },
    );
    context.dependsOn(...rows.map((row) => record('Product2', toSalesforceId(row.Id))));
    return Object.fromEntries(
      rows.map((row) => [toSalesforceId(row.Id), { availability: row.Availability__c, stock: row.Stock__c }]),
    );
  }

  /**
   * The active categories. A picklist announces no change of its own; a new value is read at the latest when the first
   * product gets it, because that changes the products' lists.
   */
  async categories(context: FetchContext): Promise<Category[]> {
    context.dependsOn(membership('Product2'));
    const values = await this.salesforce.picklist('Product2', 'Family');
    return values.filter((value) => value.active).map(toCategory);
  }

  /**
   * The active choices of a picklist that decides lists. A new choice is read at the latest when the first row gets it,
   * because that row then moves between lists.
   */
  async options(object: string, field: string, context: FetchContext): Promise<Option[]> {
    context.dependsOn(membership(object));
    const values = await this.salesforce.picklist(object, field);
    return values.filter(({ active }) => active).map(({ value, label }) => ({ value, label }));
  }

  /** The account's eligibility; null if there is no such account. */
  async eligibility(account: SalesforceId, context: FetchContext): Promise<Eligibility | null> {
    context.dependsOn(record('Account', account));
    const [row] = await this.salesforce.query<AccountRecord>(
      soql`SELECT Id, Internet_Eligibility__c, Internet_Eligibility_Status__c, Eligible_Regions__c
        FROM Account WHERE Id = ${account}`,
      { signal: context.signal },
    );
    if (!row) return null;
    if (toSalesforceId(row.Id) !== account) throw foreignRow('the eligibility');
    return toEligibility(row);
  }

  /**
   * Active prices in the standard price book, by product id; none if the org has no such book. It also reads inactive
   * entries, so that a reactivated one is found by its record and does not drop every category.
   */
  private async prices(products: readonly SalesforceId[], context: FetchContext): Promise<ReadonlyMap<string, number>> {
    const prices = new Map<string, number>();
    if (products.length === 0) return prices;
    const { signal } = context;
    const [standard] = await this.salesforce.query<{ Id: string }>(
      soql`SELECT Id FROM Pricebook2 WHERE IsStandard = ${true} LIMIT 1`,
      { signal },
    );
    if (!standard) return prices;
    for (let i = 0; i < products.length; i += IDS_PER_QUERY) {
      const rows = await this.salesforce.query<PriceRow>(
        soql`SELECT Id, Product2Id, UnitPrice, IsActive FROM PricebookEntry
          WHERE Pricebook2Id = ${standard.Id} AND Product2Id IN ${products.slice(i, i + IDS_PER_QUERY)}`,
        { signal },
      );
      context.dependsOn(...rows.map((row) => record('PricebookEntry', toSalesforceId(row.Id))));
      for (const row of rows) if (row.IsActive) prices.set(toSalesforceId(row.Product2Id), row.UnitPrice);
    }
    return prices;
  }
}
