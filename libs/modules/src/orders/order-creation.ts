import { SalesforceClient, type CompositeCall } from '@bff/integrations/salesforce/salesforce.client';
import { SalesforceError, type SalesforceErrorCode } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { PricebookEntryRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { OrderRequest } from './order.types.js';
import { OrderOutcomeUnknownError, OrderRefusedError, ProductNotSoldError } from './orders.errors.js';

/**
 * Maximum number of calls for items in a composite request, which takes 25 with the order's own (REST API Developer
 * Guide, "Composite").
 */
const ITEM_CALLS_MAX = 24;

/** Failures after which a sent request may have been carried out. Every other failure means that it was not. */
const OUTCOME_UNKNOWN: ReadonlySet<SalesforceErrorCode> = new Set(['SALESFORCE_TIMEOUT', 'SALESFORCE_UNAVAILABLE']);

type PriceRow = Pick<PricebookEntryRecord, 'Id' | 'Product2Id' | 'UnitPrice'>;

const SAVED = z.object({ id: z.string(), success: z.literal(true) });
const SAVED_ALL = z.array(z.object({ success: z.literal(true) }));

/** Writes orders. Prices come from the standard price book at this moment, never from a cache or the caller. */
@Injectable()
export class OrderCreation {
  constructor(private readonly salesforce: SalesforceClient) {}

  /**
   * Creates the order and its items, all or none, and resolves with the order's id. Rejects with
   * `OrderOutcomeUnknownError` when the order may still have been created; after any other rejection
   * (`ProductNotSoldError`, `OrderRefusedError`, `SalesforceError`) it was not.
   */
  async create(account: SalesforceId, request: OrderRequest): Promise<SalesforceId> {
    const pricebookId = await this.standardPricebookId();
    const prices = await this.prices(pricebookId, [...new Set(request.items.map((item) => item.productId))]);
    const items = request.items.map(({ productId, quantity }) => {
      const price = prices.get(productId) as PriceRow;
      return { OrderId: '@{order.id}', PricebookEntryId: price.Id, Quantity: quantity, UnitPrice: price.UnitPrice };
    });
    const order = {
      AccountId: account,
      EffectiveDate: new Date().toISOString().slice(0, 10),
      Status: 'Draft',
      Pricebook2Id: pricebookId,
    };
    const [created, ...rest] = await this.send([
      { method: 'POST', path: '/sobjects/Order', referenceId: 'order', body: order },
      ...itemCalls(items),
    ]);
    const saved = SAVED.safeParse(created);
    if (!saved.success) throw new OrderRefusedError('Salesforce gave no id for it');
    for (const result of rest) {
      if (Array.isArray(result) && !SAVED_ALL.safeParse(result).success)
        throw new OrderRefusedError('an item was refused');
    }
    return toSalesforceId(saved.data.id);
  }

  private async send(calls: readonly CompositeCall[]): Promise<unknown[]> {
    try {
      return await this.salesforce.composite(calls);
    } catch (error) {
      if (!(error instanceof SalesforceError)) throw error;
      if (OUTCOME_UNKNOWN.has(error.code)) throw new OrderOutcomeUnknownError({ cause: error });
      if (error.code !== 'SALESFORCE_BAD_REQUEST') throw error;
      throw new OrderRefusedError(error.salesforceCode ?? 'Salesforce found it invalid', { cause: error });
    }
  }

  private async standardPricebookId(): Promise<string> {
    const [pricebook] = await this.salesforce.query<{ Id: string }>(
      soql`SELECT Id FROM Pricebook2 WHERE IsStandard = ${true} LIMIT 1`,
    );
    if (!pricebook) throw new OrderRefusedError('the org has no standard price book');
    return pricebook.Id;
  }

  private async prices(pricebookId: string, productIds: readonly string[]): Promise<ReadonlyMap<string, PriceRow>> {
    const rows = await this.salesforce.query<PriceRow>(
      soql`SELECT Id, Product2Id, UnitPrice FROM PricebookEntry
        WHERE Pricebook2Id = ${pricebookId} AND IsActive = ${true} AND Product2Id IN ${productIds}`,
    );
    const active = await this.salesforce.query<{ Id: string }>(
      soql`SELECT Id FROM Product2 WHERE IsActive = ${true} AND Id IN ${productIds}`,
    );
    const sold = new Set(active.map((product) => toSalesforceId(product.Id)));
    const prices = new Map(rows.map((row) => [toSalesforceId(row.Product2Id) as string, row]));
    const missing = productIds.filter((id) => !prices.has(id) || !sold.has(id as SalesforceId));
    if (missing.length > 0) throw new ProductNotSoldError(missing);
    return prices;
  }
}

/**
 * One call per item while they fit, so that a refusal names its item; else one collection of all items, all or none.
 */
function itemCalls(items: readonly Readonly<Record<string, unknown>>[]): CompositeCall[] {
  if (items.length <= ITEM_CALLS_MAX) {
    return items.map((body, i) => ({ method: 'POST', path: '/sobjects/OrderItem', referenceId: `item${i}`, body }));
  }
  const records = items.map((item) => ({ attributes: { type: 'OrderItem' }, ...item }));
  return [{ method: 'POST', path: '/composite/sobjects', referenceId: 'items', body: { allOrNone: true, records } }];
}
