import type { FetchContext } from '@bff/infra/cache/cache.types';
import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { foreignRow } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { OrderRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { orderItems, toOrderDetail, toOrderSummary } from './order-mapping.js';
import type { OrderDetail, OrderSummary } from './order.types.js';

/** Maximum number of orders in a list; older ones are left out, and the answer says so. */
export const ORDERS_SHOWN_MAX = 200;

/**
 * Reads orders from Salesforce and names every record that it reads as a dependency. It reads item ids even for lists:
 * an item's change events do not name its order (only its CREATE does), so `record('OrderItem', id)` finds the entries.
 * An answer with a row of another account is refused as a whole (`SALESFORCE_INVALID_ANSWER`).
 */
@Injectable()
export class OrderQueries {
  constructor(private readonly salesforce: SalesforceClient) {}

  /**
   * The account's newest orders, at most one more than are shown: the last one only tells that there are more. The sort
   * field never changes, so only an order that joins or leaves the account moves the window.
   */
  async summaries(account: SalesforceId, context: FetchContext): Promise<OrderSummary[]> {
    context.dependsOn(membership('Order'), membership('OrderItem'));
    const orders = await this.salesforce.query<OrderRecord>(
      soql`SELECT Id, OrderNumber, AccountId, Status, Type, EffectiveDate, TotalAmount, CreatedDate,
        (SELECT Id FROM OrderItems)
        FROM Order WHERE AccountId = ${account} ORDER BY CreatedDate DESC LIMIT ${ORDERS_SHOWN_MAX + 1}`,
      { signal: context.signal },
    );
    checkAccount(account, orders);
    for (const order of orders) nameRecords(order, context);
    return orders.map(toOrderSummary);
  }

  /**
   * The account's order with its items; null if it has none with this id. The same query answers for an order of
   * another account and for one that does not exist, so neither its time nor its cost tells them apart.
   */
  async detail(account: SalesforceId, id: SalesforceId, context: FetchContext): Promise<OrderDetail | null> {
    context.dependsOn(record('Order', id), membership('Order'), membership('OrderItem'));
    const orders = await this.salesforce.query<OrderRecord>(
      soql`SELECT Id, OrderNumber, AccountId, Status, Type, EffectiveDate, TotalAmount, CreatedDate,
        (SELECT Id, OrderItemNumber, Product2Id, Product2.Name, Product2.ProductCode, Quantity, UnitPrice, TotalPrice,
          Description, Billing_Cycle__c FROM OrderItems)
        FROM Order WHERE Id = ${id} AND AccountId = ${account}`,
      { signal: context.signal },
    );
    checkAccount(account, orders);
    const [order] = orders;
    if (!order) return null;
    nameRecords(order, context);
    const detail = toOrderDetail(order);
    context.dependsOn(...detail.items.map((item) => record('Product2', item.productId)));
    return detail;
  }
}

function checkAccount(account: SalesforceId, orders: readonly OrderRecord[]): void {
  if (orders.some(({ AccountId }) => toSalesforceId(AccountId) !== account)) throw foreignRow('the orders');
}

function nameRecords(order: OrderRecord, context: FetchContext): void {
  context.dependsOn(
    record('Order', toSalesforceId(order.Id)),
    ...orderItems(order).map((item) => record('OrderItem', toSalesforceId(item.Id))),
  );
}
