import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { PricebookEntryRecord, Product2Record } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { ProductNotSoldError } from '../orders.errors.js';

/** The price of a product in the standard price book, with what decides who may order the product. */
export type PriceRow = Pick<PricebookEntryRecord, 'Id' | 'Product2Id' | 'Pricebook2Id' | 'UnitPrice'> & {
  readonly Product2: Pick<Product2Record, 'Family' | 'Region__c'>;
};

type Prices = ReadonlyMap<string, PriceRow>;

/** The queries of one account for the same products: one under way, and one for all who have asked since it began. */
interface Line {
  readonly underWay: Promise<Prices>;
  next?: Promise<Prices>;
}

/**
 * The prices of this moment: each answer is that of a query that began after it was asked for. The orders of one account
 * for the same products share queries as far as that allows, so however many come together, two queries answer them.
 */
@Injectable()
export class OrderPrices {
  /** At most one for each order that is being placed. */
  private readonly lines = new Map<string, Line>();

  constructor(private readonly salesforce: SalesforceClient) {}

  /**
   * The price of each product, one row of the standard price book, active, of an active product. Rejects with
   * `ProductNotSoldError` if one has none, and with `SalesforceError`.
   */
  async of(account: SalesforceId, productIds: readonly string[]): Promise<Prices> {
    const name = [account, ...[...productIds].sort()].join(' ');
    const line = this.lines.get(name);
    const prices = await (line ? (line.next ??= this.after(line, name, productIds)) : this.begin(name, productIds));
    const missing = productIds.filter((id) => !prices.has(id));
    if (missing.length > 0) throw new ProductNotSoldError(missing);
    return prices;
  }

  private async after(line: Line, name: string, productIds: readonly string[]): Promise<Prices> {
    await Promise.allSettled([line.underWay]);
    return this.begin(name, productIds);
  }

  private begin(name: string, productIds: readonly string[]): Promise<Prices> {
    const line: Line = { underWay: this.query(productIds) };
    this.lines.set(name, line);
    const end = (): void => {
      if (line.next === undefined) this.lines.delete(name); // else the next query takes its place
    };
    line.underWay.then(end, end);
    return line.underWay;
  }

  private async query(productIds: readonly string[]): Promise<Prices> {
    const rows = await this.salesforce.query<PriceRow>(
      soql`SELECT Id, Product2Id, Pricebook2Id, UnitPrice, Product2.Family, Product2.Region__c FROM PricebookEntry
        WHERE Pricebook2.IsStandard = ${true} AND IsActive = ${true} AND Product2.IsActive = ${true}
        AND Product2Id IN ${productIds}`,
    );
    return new Map(rows.map((row) => [toSalesforceId(row.Product2Id) as string, row]));
  }
}
