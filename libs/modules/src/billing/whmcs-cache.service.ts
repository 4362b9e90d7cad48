import { AbsenceBudget } from '@bff/infra/callers/absence-budget';
import { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext, Invalidation } from '@bff/infra/cache/cache.types';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { Injectable } from '@nestjs/common';
import type { BillingSubscription, Invoice, InvoiceSummary, PaymentGateway, PaymentMethod } from './billing.types.js';

/** How long it is remembered that a client has no invoice or subscription with an id. */
const ABSENT_SECONDS = 60;
/** How many such ids of one client are remembered at a time, in each process. */
const ABSENT_MAX = 100;

type Fetch<T> = (context: FetchContext) => Promise<T>;

/**
 * WHMCS data, kept for a time that fits how often it changes. WHMCS announces no changes by itself; a webhook drops
 * entries earlier. Every key of customer data holds the client's id, so no two clients share a key. A client can invent
 * ids without end, so "there is none" is kept for a minute, for few ids of each client. Invoices and payment methods
 * are encrypted in the store.
 */
@Injectable()
export class WhmcsCacheService extends DomainCache {
  private readonly absences = new AbsenceBudget(ABSENT_MAX, ABSENT_SECONDS * 1_000);
  private readonly invoiceLists = this.bucket<InvoiceSummary[], [client: string]>('invoices', {
    strategy: ttl(90),
    sensitive: true,
  });
  private readonly invoice = this.bucket<Invoice | null | undefined, [client: string, id: string]>('invoice', {
    strategy: ttl(300),
    negativeTtlSeconds: ABSENT_SECONDS,
    sensitive: true,
  });
  private readonly subscriptionLists = this.bucket<BillingSubscription[], [client: string]>('subscriptions', {
    strategy: ttl(300),
  });
  private readonly subscription = this.bucket<BillingSubscription | null | undefined, [client: string, id: string]>(
    'subscription',
    {
      strategy: ttl(600),
      negativeTtlSeconds: ABSENT_SECONDS,
    },
  );
  private readonly paymentMethods = this.bucket<PaymentMethod[], [client: string]>('paymentMethods', {
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
  async getInvoice(client: number, id: number, fetch: Fetch<Invoice | null>): Promise<Invoice | null> {
    const found = await this.invoice.get([`${client}`, `${id}`], this.bounded(client, fetch), {
      dependsOn: [ofClient(client), record('WhmcsInvoice', `${id}`)],
    });
    return found ?? null;
  }

  getSubscriptions(client: number, fetch: Fetch<BillingSubscription[]>): Promise<BillingSubscription[]> {
    return this.subscriptionLists.get([`${client}`], fetch, {
      dependsOn: (list) => [ofClient(client), ...list.map(({ id }) => record('WhmcsService', `${id}`))],
    });
  }

  /** `null`: the client has no such subscription. */
  async getSubscription(
    client: number,
    id: number,
    fetch: Fetch<BillingSubscription | null>,
  ): Promise<BillingSubscription | null> {
    const found = await this.subscription.get([`${client}`, `${id}`], this.bounded(client, fetch), {
      dependsOn: [ofClient(client), record('WhmcsService', `${id}`)],
    });
    return found ?? null;
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
    return this.invalidate(record('WhmcsInvoice', `${id}`), ...list);
  }

  /**
   * Drops a subscription and the lists that show it; with `client`, also that client's list, which does not show a new
   * one yet.
   */
  dropSubscription(id: number, client?: number): Promise<Invalidation> {
    const list = client === undefined ? [] : [this.subscriptionLists.entry([`${client}`])];
    return this.invalidate(record('WhmcsService', `${id}`), ...list);
  }

  /** Drops the payment methods that a client has stored, not the gateways that the shop offers. */
  dropPaymentMethods(client: number): Promise<Invalidation> {
    return this.invalidate(this.paymentMethods.entry([`${client}`]));
  }

  /** The fetch, with `undefined` (which is not kept) for an absent record of a client that asks for very many. */
  private bounded<T>(client: number, fetch: Fetch<T | null>): Fetch<T | null | undefined> {
    return async (context) => {
      const found = await fetch(context);
      return found === null && !this.absences.take(`${client}`) ? undefined : found;
    };
  }

  /** Drops all entries of a client: its profile or address has changed, or the change is unclear. */
  dropClient(client: number): Promise<Invalidation> {
    return this.invalidate(ofClient(client));
  }
}

function ofClient(client: number): Dependency {
  return record('WhmcsClient', `${client}`);
}
