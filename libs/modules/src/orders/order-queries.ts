import type { FetchContext } from '@bff/infra/cache/cache.types';
import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { OrderRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { orderItems, toCachedOrder, toOrderSummary } from './order-mapping.js';
import type { CachedOrder, OrderSummary } from './order.types.js';

/** Maximum number of orders in a list. */
export const ORDERS_SHOWN_MAX = 200;

/**
 * Reads orders from Salesforce and names every record that it reads as a dependency. It reads item ids even for lists:
 * an item's change events do not name its order (only its CREATE does), so `record('OrderItem', id)` finds the entries.
 */
@Injectable()
export class OrderQueries {
  constructor(private readonly salesforce: SalesforceClient) {}

  /**
   * The account's newest orders, one more than are shown, which tells that there are more. The sort field never changes, so only an order that joins or leaves the account
   * moves the window.
   */
  async summaries(account: SalesforceId, context: FetchContext): Promise<OrderSummary[]> {
    context.dependsOn(membership('Order'), membership('OrderItem'));
    const orders = await this.salesforce.query<OrderRecord>(
      soql`SELECT Id, OrderNumber, AccountId, Status, Type, EffectiveDate, TotalAmount, CreatedDate,
        (SELECT Id FROM OrderItems)
        FROM Order WHERE AccountId = ${account} ORDER BY CreatedDate DESC LIMIT ${ORDERS_SHOWN_MAX + 1}`,
      { signal: context.signal },
    );
    for (const order of orders) nameRecords(order, context);
    return orders.map(toOrderSummary);
  }

  /** The order with its items; null if there is none with this id. */
  async detail(id: SalesforceId, context: FetchContext): Promise<CachedOrder | null> {
    context.dependsOn(record('Order', id), membership('Order'), membership('OrderItem'));
    const [order] = await this.salesforce.query<OrderRecord>(
      soql`SELECT Id, OrderNumber, AccountId, Status, Type, EffectiveDate, TotalAmount, CreatedDate,
        (SELECT Id, OrderItemNumber, Product2Id, Product2.Name, Product2.ProductCode, Quantity, UnitPrice, TotalPrice,
          Description, Billing_Cycle__c FROM OrderItems)
        FROM Order WHERE Id = ${id}`,
      { signal: context.signal },
    );
    if (!order) return null;
    nameRecords(order, context);
    const cached = toCachedOrder(order);
    context.dependsOn(...cached.order.items.map((item) => record('Product2', item.productId)));
    return cached;
  }
}

function nameRecords(order: OrderRecord, context: FetchContext): void {
  context.dependsOn(
    record('Order', toSalesforceId(order.Id)),
    ...orderItems(order).map((item) => record('OrderItem', toSalesforceId(item.Id))),
  );
}
