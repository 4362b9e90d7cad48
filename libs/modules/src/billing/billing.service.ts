import { WhmcsClient } from '@bff/integrations/whmcs/whmcs.client';
import { Injectable } from '@nestjs/common';
import { toInvoice, toInvoiceSummary, toPaymentGateway, toPaymentMethod, toSubscription } from './billing-mapping.js';
import { BillingNotLinkedError } from './billing.errors.js';
import type { BillingSubscription, Invoice, InvoiceSummary, PaymentMethods } from './billing.types.js';
import { WhmcsCacheService } from './whmcs-cache.service.js';

/**
 * Billing data of one client at a time. `client` is null for an account that is not linked with billing; then every
 * method rejects with `BillingNotLinkedError`, because an empty list would be a wrong answer.
 */
@Injectable()
export class BillingService {
  constructor(
    private readonly cache: WhmcsCacheService,
    private readonly whmcs: WhmcsClient,
  ) {}

  async invoices(client: number | null): Promise<InvoiceSummary[]> {
    const id = linked(client);
    return this.cache.getInvoices(id, async () => (await this.whmcs.invoices(id)).map(toInvoiceSummary));
  }

  /** Undefined if there is no such invoice or it is another client's. The caller cannot tell the two apart. */
  async invoice(client: number | null, invoiceId: number): Promise<Invoice | undefined> {
    const id = linked(client);
    const invoice = await this.cache.getInvoice(id, invoiceId, async () => {
      const found = await this.whmcs.invoice(id, invoiceId);
      return found ? toInvoice(found) : null;
    });
    return invoice ?? undefined;
  }

  async subscriptions(client: number | null): Promise<BillingSubscription[]> {
    const id = linked(client);
    return this.cache.getSubscriptions(id, async () => (await this.whmcs.services(id)).map(toSubscription));
  }

  /** Undefined if the client has no such subscription. */
  async subscription(client: number | null, serviceId: number): Promise<BillingSubscription | undefined> {
    const id = linked(client);
    const subscription = await this.cache.getSubscription(id, serviceId, async () => {
      const found = await this.whmcs.service(id, serviceId);
      return found ? toSubscription(found) : null;
    });
    return subscription ?? undefined;
  }

  /** The client's stored payment methods, and the gateways with which it could add one. */
  async paymentMethods(client: number | null): Promise<PaymentMethods> {
    const id = linked(client);
    const [methods, gateways] = await Promise.all([
      this.cache.getPaymentMethods(id, async () => (await this.whmcs.paymentMethods(id)).map(toPaymentMethod)),
      this.cache.getGateways(async () => (await this.whmcs.paymentGateways()).map(toPaymentGateway)),
    ]);
    return { methods, gateways };
  }
}

function linked(client: number | null): number {
  if (client === null) throw new BillingNotLinkedError();
  return client;
}
