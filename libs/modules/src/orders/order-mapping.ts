import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { OrderItemRecord, OrderRecord } from '@bff/integrations/salesforce/salesforce.types';
import type { CachedOrder, OrderItem, OrderSummary } from './order.types.js';

/** The lines that came with the order; `SalesforceClient.query` completes child relationships, so they are all of them. */
export function orderItems(order: OrderRecord): readonly OrderItemRecord[] {
  return order.OrderItems?.records ?? [];
}

/**
 * A record as lists show it. `LastModifiedDate` is left out on purpose: it changes with internal fields too, and those
 * changes invalidate nothing.
 */
export function toOrderSummary(order: OrderRecord): OrderSummary {
  return {
    id: toSalesforceId(order.Id),
    orderNumber: order.OrderNumber,
    status: order.Status,
    type: order.Type,
    effectiveDate: order.EffectiveDate,
    totalAmount: order.TotalAmount,
    createdAt: order.CreatedDate,
    itemCount: orderItems(order).length,
  };
}

/** A record with its lines, in the order of their numbers, and the account it belongs to. */
export function toCachedOrder(order: OrderRecord): CachedOrder {
  return {
    accountId: toSalesforceId(order.AccountId),
    order: {
      ...toOrderSummary(order),
      items: orderItems(order)
        .map(toOrderItem)
        .sort((a, b) => a.itemNumber.localeCompare(b.itemNumber)),
    },
  };
}

function toOrderItem(item: OrderItemRecord): OrderItem {
  return {
    id: toSalesforceId(item.Id),
    itemNumber: item.OrderItemNumber,
    productId: toSalesforceId(item.Product2Id),
    productName: item.Product2?.Name ?? null,
    productCode: item.Product2?.ProductCode ?? null,
    quantity: item.Quantity,
    unitPrice: item.UnitPrice,
    totalPrice: item.TotalPrice,
    description: item.Description,
    billingCycle: item.Billing_Cycle__c,
  };
}
