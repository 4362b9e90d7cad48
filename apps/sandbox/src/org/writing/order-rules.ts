import type { FieldValue, OrgRecord } from '../field-definition.js';
import type { ObjectDefinition } from '../object-definition.js';
import { SalesforceFault } from '../org.errors.js';
import type { OrgState } from '../org-state.js';

/**
 * Writes a roll-up or inherited value into another record. Nothing else in it changes, and no event announces the
 * write.
 */
export type Derive = (object: ObjectDefinition, id: string, values: Readonly<Record<string, FieldValue>>) => void;

/**
 * The record with its auto-numbers, inherited and calculated fields (Object Reference: Order, OrderItem,
 * PricebookEntry, Case). An order without a price book gets that of its line. Throws for an order line that does not
 * fit its order.
 */
export function completed(org: OrgState, derive: Derive, object: ObjectDefinition, record: OrgRecord): OrgRecord {
  if (object.name === 'Order' && record['OrderNumber'] === null) {
    return { ...record, OrderNumber: org.nextNumber('Order', 8) };
  }
  if (object.name === 'Case' && record['CaseNumber'] === null) {
    return { ...record, CaseNumber: org.nextNumber('Case', 8) };
  }
  if (object.name === 'OrderItem') return completedLine(org, derive, record);
  if (object.name === 'PricebookEntry') {
    const product = recordOf(org, 'Product2', record['Product2Id']);
    return { ...record, Name: product?.['Name'] ?? null, ProductCode: product?.['ProductCode'] ?? null };
  }
  return record;
}

/**
 * After the write of an order line, sets Order.TotalAmount to the sum of the order's lines. This announces no change of
 * the order, because Salesforce documents none.
 */
export function rollUp(org: OrgState, derive: Derive, object: ObjectDefinition, record: OrgRecord): void {
  const orderId = record['OrderId'];
  if (object.name !== 'OrderItem' || typeof orderId !== 'string') return;
  const lines = org
    .table(object)
    .childrenOf('OrderId', orderId)
    .filter((line) => line['IsDeleted'] !== true);
  const total = lines.reduce((sum, line) => sum + numberOf(line['TotalPrice']), 0);
  derive(org.existingObject('Order'), orderId, { TotalAmount: cents(total) });
}

function completedLine(org: OrgState, derive: Derive, line: OrgRecord): OrgRecord {
  const entry = recordOf(org, 'PricebookEntry', line['PricebookEntryId']);
  const order = recordOf(org, 'Order', line['OrderId']);
  if (line['Product2Id'] !== null && line['Product2Id'] !== entry?.['Product2Id']) {
    throw integrity('the product does not match the price book entry', 'Product2Id');
  }
  if (order !== undefined && order['Pricebook2Id'] === null) {
    derive(org.existingObject('Order'), order.Id, { Pricebook2Id: entry?.['Pricebook2Id'] ?? null });
  } else if (order?.['Pricebook2Id'] !== entry?.['Pricebook2Id']) {
    throw integrity(
      'the price book entry is in a different price book than the one assigned to the order',
      'PricebookEntryId',
    );
  }
  return {
    ...line,
    OrderItemNumber: line['OrderItemNumber'] ?? org.nextNumber('OrderItem', 10),
    Product2Id: entry?.['Product2Id'] ?? null,
    ListPrice: line['ListPrice'] ?? entry?.['UnitPrice'] ?? null,
    TotalPrice: cents(numberOf(line['Quantity']) * numberOf(line['UnitPrice'])),
  };
}

function recordOf(org: OrgState, objectName: string, id: FieldValue | undefined): OrgRecord | undefined {
  return typeof id === 'string' ? org.find(objectName, id) : undefined;
}

function integrity(reason: string, field: string): SalesforceFault {
  return new SalesforceFault(400, 'FIELD_INTEGRITY_EXCEPTION', `field integrity exception: ${reason}`, [field]);
}

function numberOf(value: FieldValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** Rounds money to two decimals, so that sums show no error of binary fractions. */
function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
