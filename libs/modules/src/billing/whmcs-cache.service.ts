import { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext, Invalidation } from '@bff/infra/cache/cache.types';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { Injectable } from '@nestjs/common';
import type { BillingSubscription, Invoice, InvoiceSummary, PaymentGateway, PaymentMethod } from './billing.types.js';

type Fetch<T> = (context: FetchContext) => Promise<T>;

/**
 * WHMCS data, kept for a time that fits how often it changes. WHMCS announces no changes by itself; a webhook drops
 * entries earlier. Every key of customer data holds the client's id, so no two clients share a key. Invoices and
 * payment methods are encrypted in the store.
 */
@Injectable()
export class WhmcsCacheService extends DomainCache {
  private readonly invoiceLists = this.bucket<InvoiceSummary[]>('invoices', { strategy: ttl(90), sensitive: true });
  private readonly invoice = this.bucket<Invoice | null>('invoice', { strategy: ttl(300), sensitive: true });
  private readonly subscriptionLists = this.bucket<BillingSubscription[]>('subscriptions', { strategy: ttl(300) });
  private readonly subscription = this.bucket<BillingSubscription | null>('subscription', { strategy: ttl(600) });
  private readonly paymentMethods = this.bucket<PaymentMethod[]>('paymentMethods', {
    strategy: ttl(900),
    sensitive: true,
  });
  private readonly gateways = this.bucket<PaymentGateway[]>('gateways', { strategy: ttl(3600) });

  constructor(cache: CacheService) {
    super('billing', cache);
  }

  getInvoices(client: number, fetch: Fetch<InvoiceSummary[]>): Promise<InvoiceSummary[]> {
    return this.invoiceLists.get([`${client}`], fetch, {
      dependsOn: (invoices) => [ofClient(client), ...invoices.map(({ id }) => record('WhmcsInvoice', `${id}`))],
    });
  }

  /** `null`: the client has no such invoice. */
  getInvoice(client: number, id: number, fetch: Fetch<Invoice | null>): Promise<Invoice | null> {
    return this.invoice.get([`${client}`, `${id}`], fetch, {
      dependsOn: [ofClient(client), record('WhmcsInvoice', `${id}`)],
    });
  }

  getSubscriptions(client: number, fetch: Fetch<BillingSubscription[]>): Promise<BillingSubscription[]> {
    return this.subscriptionLists.get([`${client}`], fetch, {
      dependsOn: (list) => [ofClient(client), ...list.map(({ id }) => record('WhmcsService', `${id}`))],
    });
  }

  /** `null`: the client has no such subscription. */
  getSubscription(
    client: number,
    id: number,
    fetch: Fetch<BillingSubscription | null>,
  ): Promise<BillingSubscription | null> {
    return this.subscription.get([`${client}`, `${id}`], fetch, {
      dependsOn: [ofClient(client), record('WhmcsService', `${id}`)],
    });
  }

  getPaymentMethods(client: number, fetch: Fetch<PaymentMethod[]>): Promise<PaymentMethod[]> {
    return this.paymentMethods.get([`${client}`], fetch, { dependsOn: [ofClient(client)] });
  }

  getGateways(fetch: Fetch<PaymentGateway[]>): Promise<PaymentGateway[]> {
    return this.gateways.get(['all'], fetch);
  }

  /**
   * Drops an invoice and the lists that show it; with `client`, also that client's list, which does not show a new
   * invoice yet.
   */
  dropInvoice(id: number, client?: number): Promise<Invalidation> {
    const list = client === undefined ? [] : [this.invoiceLists.entry([`${client}`])];
    return this.invalidate([record('WhmcsInvoice', `${id}`), ...list]);
  }

  /**
   * Drops a subscription and the lists that show it; with `client`, also that client's list, which does not show a new
   * one yet.
   */
  dropSubscription(id: number, client?: number): Promise<Invalidation> {
    const list = client === undefined ? [] : [this.subscriptionLists.entry([`${client}`])];
    return this.invalidate([record('WhmcsService', `${id}`), ...list]);
  }

  /** Drops a client's payment methods. */
  dropPaymentMethods(client: number): Promise<Invalidation> {
    return this.invalidate([this.paymentMethods.entry([`${client}`])]);
  }

  /** Drops all entries of a client: its profile or address has changed, or the change is unclear. */
  dropClient(client: number): Promise<Invalidation> {
    return this.invalidate([ofClient(client)]);
  }
}

function ofClient(client: number): Dependency {
  return record('WhmcsClient', `${client}`);
}
