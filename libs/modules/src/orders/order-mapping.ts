import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { toInstant } from '@bff/integrations/salesforce/salesforce-instant';
import type { OrderItemRecord, OrderRecord } from '@bff/integrations/salesforce/salesforce.types';
import type { OrderDetail, OrderItem, OrderSummary } from './order.types.js';

/** The lines that came with the order, all of them: `SalesforceClient.query` completes child relationships. */
export function orderItems(order: OrderRecord): readonly OrderItemRecord[] {
  return order.OrderItems?.records ?? [];
}

/**
 * A record as lists show it, without `LastModifiedDate` on purpose: changes of internal fields move it and invalidate
 * nothing.
 */
export function toOrderSummary(order: OrderRecord): OrderSummary {
  return {
    id: toSalesforceId(order.Id),
    orderNumber: order.OrderNumber,
    status: order.Status,
    type: order.Type,
    effectiveDate: order.EffectiveDate,
    totalAmount: order.TotalAmount,
    createdAt: toInstant(order.CreatedDate),
    itemCount: orderItems(order).length,
  };
}

/** A record with its lines, sorted by line number. */
export function toOrderDetail(order: OrderRecord): OrderDetail {
  return {
    ...toOrderSummary(order),
    items: orderItems(order)
      .map(toOrderItem)
      .sort((a, b) => a.itemNumber.localeCompare(b.itemNumber)),
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
