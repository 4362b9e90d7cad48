import { APP_CONFIG } from '@bff/infra/config/application-config';
import { SalesforceClient, type CompositeCall } from '@bff/integrations/salesforce/salesforce.client';
import { foreignRow, SalesforceError, type SalesforceErrorCode } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId, type SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { soql, soqlField } from '@bff/integrations/salesforce/soql';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { CatalogService } from '../../catalog/catalog.service.js';
import type { AppConfig } from '../../config/app-config.js';
import type { OrderRequest } from '../order.types.js';
import { FinalOrderError, OrderOutcomeUnknownError, OrderRefusedError } from '../orders.errors.js';
import { OrderPrices, type PriceRow } from './order-prices.js';
import { checkEligible, checkTotal, productsOf, soldOffers } from './order-rules.js';

/**
 * Maximum number of calls for items in a composite request, which takes 25 with the order's own (REST API Developer
 * Guide, "Composite").
 */
const ITEM_CALLS_MAX = 24;

/** Failures after which a sent request may have been carried out. After every other failure it was not. */
const OUTCOME_UNKNOWN: ReadonlySet<SalesforceErrorCode> = new Set([
  'SALESFORCE_RESULT_TOO_LARGE',
  'SALESFORCE_TIMEOUT',
  'SALESFORCE_UNAVAILABLE',
]);

/** An order that may be sent: its price book, and its lines with their prices. */
interface PricedOrder {
  readonly pricebookId: string;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** What marks an order as the result of one request. */
export interface RequestMark {
  /** A unique field of Order. */
  readonly field: string;
  readonly value: string;
  /** An earlier request with this mark may have created its order. */
  readonly mayBePlaced: boolean;
}

const SAVED = z.object({ id: z.string(), success: z.literal(true) });
const REFUSED = z.object({ errors: z.array(z.object({ statusCode: z.string(), message: z.string() })) });
const SAVED_ALL = z.array(z.object({ success: z.literal(true) }));

/**
 * Writes orders. Their prices are those of the standard price book at this moment, never a cache's or the caller's; by
 * the prices of a cache an order is refused at most.
 */
@Injectable()
export class OrderCreation {
  constructor(
    private readonly salesforce: SalesforceClient,
    private readonly catalog: CatalogService,
    private readonly prices: OrderPrices,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'orders'>,
  ) {}

  /**
   * Creates the order and its items, all or none, and resolves with the order's id. With a mark, an order of the
   * account that has it already is returned as it is; if the request would be refused by now, only where the mark says
   * that there may be one. Rejects with `OrderOutcomeUnknownError` when the order may still have been created; after any
   * other rejection (`ProductNotSoldError`, `OrderNotEligibleError`, `OrderTooLargeError`, `OrderRefusedError`,
   * `SalesforceError`) this call has created none. `beforeWrite` runs just before the order is sent.
   */
  async create(
    account: SalesforceId,
    request: OrderRequest,
    { mark, beforeWrite }: { readonly mark?: RequestMark; readonly beforeWrite?: () => Promise<void> } = {},
  ): Promise<SalesforceId> {
    let priced: PricedOrder;
    try {
      priced = await this.checked(account, request);
    } catch (refusal) {
      const isLookedFor = mark?.mayBePlaced === true && refusal instanceof FinalOrderError;
      const earlier = isLookedFor ? await this.find(account, mark) : undefined;
      if (earlier === undefined) throw refusal;
      return earlier;
    }
    const { pricebookId, lines } = priced;
    const order = {
      AccountId: account,
      EffectiveDate: new Date().toISOString().slice(0, 10),
      Status: 'Draft',
      Pricebook2Id: pricebookId,
      ...(mark && { [mark.field]: mark.value }),
    };
    const calls: CompositeCall[] = [
      { method: 'POST', path: '/sobjects/Order', referenceId: 'order', body: order },
      ...itemCalls(lines),
    ];
    await beforeWrite?.();
    const sent = await this.send(account, calls, mark);
    return typeof sent === 'string' ? sent : idOf(sent);
  }

  /**
   * The priced order. What the cached catalog shows to be refused (not offered to this account, or too large) is refused
   * without a query of its own; the rest is checked again by the records of this moment, in one query.
   */
  private async checked(account: SalesforceId, request: OrderRequest): Promise<PricedOrder> {
    const { items } = request;
    const { totalMax } = this.config.orders;
    const productIds = productsOf(request);
    const [offers, eligibility] = await Promise.all([
      this.catalog.offers(productIds),
      this.catalog.eligibility(account),
    ]);
    checkEligible(eligibility, soldOffers(productIds, offers));
    checkTotal(items, (id) => offers.get(id)?.price ?? 0, totalMax);
    const prices = await this.prices.of(account, productIds);
    checkEligible(
      eligibility,
      [...prices].map(([id, { Product2 }]) => ({ id, family: Product2.Family, region: Product2.Region__c })),
    );
    const priceOf = (id: string): PriceRow => prices.get(id) as PriceRow;
    checkTotal(items, (id) => priceOf(id).UnitPrice, totalMax);
    const lines = items.map(({ productId, quantity }) => {
      const { Id, UnitPrice } = priceOf(productId);
      return { OrderId: '@{order.id}', PricebookEntryId: Id, Quantity: quantity, UnitPrice };
    });
    return { pricebookId: [...prices.values()][0]?.Pricebook2Id as string, lines };
  }

  /** The bodies of the answers; with a mark that an order has already, the id of that order. */
  private async send(
    account: SalesforceId,
    calls: readonly CompositeCall[],
    mark: RequestMark | undefined,
  ): Promise<unknown[] | SalesforceId> {
    try {
      return await this.salesforce.composite(calls);
    } catch (error) {
      if (!(error instanceof SalesforceError)) throw error;
      if (OUTCOME_UNKNOWN.has(error.code)) throw new OrderOutcomeUnknownError({ cause: error });
      if (error.code !== 'SALESFORCE_BAD_REQUEST') throw error;
      const { salesforceCode, message } = error;
      if (mark && salesforceCode === 'DUPLICATE_VALUE') return this.marked(account, mark, error);
      // A refused field says nothing about the order: the field was there when the org was asked for it.
      if (mark && salesforceCode?.startsWith('INVALID_FIELD') && message.includes(mark.field)) throw error;
      throw new OrderRefusedError(salesforceCode ?? 'Salesforce found it invalid', { cause: error });
    }
  }

  /**
   * The account's order with this mark, which an earlier request has created, however it has changed since. If there is
   * none, rejects: with a conflict if it may be under way at this moment, else with `OrderRefusedError`.
   */
  private async marked(account: SalesforceId, mark: RequestMark, cause: Error): Promise<SalesforceId> {
    const order = await this.find(account, mark);
    if (order !== undefined) return order;
    // Salesforce may refuse one of two inserts at once without names: "<unknown> duplicates value on …: <unknown>".
    if (!/value found: *\w/.test(cause.message)) {
      const text = 'another request places the same order at this moment';
      throw new SalesforceError('SALESFORCE_CONFLICT', text, 'DUPLICATE_VALUE', { cause });
    }
    if (!cause.message.includes(mark.field)) throw new OrderRefusedError('DUPLICATE_VALUE', { cause });
    const detail = 'its Idempotency-Key belongs to an order that was deleted or moved';
    throw new OrderRefusedError(detail, { cause }, 'to order again, use a new key');
  }

  private async find(account: SalesforceId, { field, value }: RequestMark): Promise<SalesforceId | undefined> {
    const [order] = await this.salesforce.query<{ Id: string; AccountId: string }>(
      soql`SELECT Id, AccountId FROM Order WHERE ${soqlField(field)} = ${value} AND AccountId = ${account}`,
    );
    if (order && toSalesforceId(order.AccountId) !== account) throw foreignRow('the order of a request');
    return order && toSalesforceId(order.Id);
  }
}

function idOf([created, ...rest]: readonly unknown[]): SalesforceId {
  const saved = SAVED.safeParse(created);
  if (!saved.success) throw new OrderOutcomeUnknownError({ cause: saved.error });
  for (const result of rest) {
    if (Array.isArray(result) && !SAVED_ALL.safeParse(result).success) {
      throw new OrderRefusedError('an item was refused', { cause: refusalIn(result) });
    }
  }
  return toSalesforceId(saved.data.id);
}

/** What Salesforce says of the first refused record of a collection, for the log. */
function refusalIn(results: readonly unknown[]): SalesforceError {
  const refusals = results.flatMap((result) => {
    const { data } = REFUSED.safeParse(result);
    return data?.errors ?? [];
  });
  // The others are rolled back because of the first real cause.
  const cause = refusals.find(({ statusCode }) => statusCode !== 'ALL_OR_NONE_OPERATION_ROLLED_BACK') ?? refusals[0];
  const text = cause ? `an item was refused: ${cause.statusCode}: ${cause.message}` : 'no reason was given';
  return new SalesforceError('SALESFORCE_BAD_REQUEST', text, cause?.statusCode);
}

/**
 * One call per item while they fit, so that a refusal names its item; else one collection of all items, all or none.
 */
function itemCalls(items: readonly Readonly<Record<string, unknown>>[]): CompositeCall[] {
  if (items.length <= ITEM_CALLS_MAX) {
    return items.map((body, i) => ({ method: 'POST', path: '/sobjects/OrderItem', referenceId: `item${i}`, body }));
  }
  const records = items.map((item) => ({ attributes: { type: 'OrderItem' }, ...item }));
  return [{ method: 'POST', path: '/composite/sobjects', referenceId: 'items', body: { allOrNone: true, records } }];
}
