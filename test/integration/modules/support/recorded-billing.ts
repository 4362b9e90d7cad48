import type { CallRecord } from '@bff/infra/sources/source-calls';
import { WhmcsClient } from '@bff/integrations/whmcs/whmcs.client';
import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from '@bff/integrations/whmcs/whmcs.types';

/** A WHMCS with one invoice for client 11 and one for client 99; it counts calls. */
export class RecordedBilling extends WhmcsClient {
  calls = 0;
  /** How calls went, as health is to see it. */
  record: CallRecord = {};
  readonly details: WhmcsInvoiceDetail[] = [invoice(501, 11), invoice(502, 99)];

  invoices(clientId: number): Promise<WhmcsInvoice[]> {
    this.calls++;
    return Promise.resolve(this.details.filter((each) => each.clientId === clientId));
  }

  invoice(clientId: number, invoiceId: number): Promise<WhmcsInvoiceDetail | undefined> {
    this.calls++;
    return Promise.resolve(this.details.find((each) => each.id === invoiceId && each.clientId === clientId));
  }

  services(): Promise<WhmcsService[]> {
    this.calls++;
    return Promise.resolve([]);
  }

  service(): Promise<WhmcsService | undefined> {
    this.calls++;
    return Promise.resolve(undefined);
  }

  paymentMethods(): Promise<WhmcsPaymentMethod[]> {
    this.calls++;
    return Promise.resolve([]);
  }

  callRecord(): CallRecord {
    return this.record;
  }

  paymentGateways(): Promise<WhmcsPaymentGateway[]> {
    this.calls++;
    return Promise.resolve([{ module: 'stripe', displayName: 'Credit card' }]);
  }
}

function invoice(id: number, clientId: number): WhmcsInvoiceDetail {
  return {
    id,
    clientId,
    invoiceNumber: `INV-${id}`,
    date: '2026-11-01',
    dueDate: '2026-11-15',
    datePaid: null,
    subtotal: 40,
    tax: 4,
    total: 44,
    status: 'Unpaid',
    currencyCode: 'JPY',
    items: [{ id: 1, description: 'Fibre 1G', amount: 40 }],
  };
}
