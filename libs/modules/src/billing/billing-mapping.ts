import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from '@bff/integrations/whmcs/whmcs.types';
import type { BillingSubscription, Invoice, InvoiceSummary, PaymentGateway, PaymentMethod } from './billing.types.js';

/** Copies field by field, so that no field WHMCS adds later reaches a browser unseen; leaves out the client's id. */
export function toInvoiceSummary(invoice: WhmcsInvoice): InvoiceSummary {
  return {
    id: invoice.id,
    number: invoice.invoiceNumber,
    status: invoice.status,
    date: invoice.date,
    dueDate: invoice.dueDate,
    datePaid: invoice.datePaid,
    subtotal: invoice.subtotal,
    tax: invoice.tax,
    total: invoice.total,
    currency: invoice.currencyCode,
  };
}

/** Copies field by field, like `toInvoiceSummary`, the lines of the invoice, too. */
export function toInvoice(invoice: WhmcsInvoiceDetail): Invoice {
  return {
    ...toInvoiceSummary(invoice),
    items: invoice.items.map(({ id, description, amount }) => ({ id, description, amount })),
  };
}

/** A service that WHMCS calls a client's product. */
export function toSubscription(service: WhmcsService): BillingSubscription {
  return {
    id: service.id,
    orderId: service.orderId,
    name: service.name,
    group: service.groupName,
    status: service.status,
    billingCycle: service.billingCycle,
    recurringAmount: service.recurringAmount,
    registrationDate: service.registrationDate,
    nextDueDate: service.nextDueDate,
  };
}

/** A payment method that the client has stored; `toPaymentGateway` is for those that the shop offers. */
export function toPaymentMethod(method: WhmcsPaymentMethod): PaymentMethod {
  return {
    id: method.id,
    type: method.type,
    description: method.description,
    gateway: method.gatewayName,
    cardLastFour: method.cardLastFour,
    expiryDate: method.expiryDate,
  };
}

/** A payment method that the shop offers, by the name of its WHMCS module. */
export function toPaymentGateway({ module, displayName }: WhmcsPaymentGateway): PaymentGateway {
  return { name: module, label: displayName };
}
