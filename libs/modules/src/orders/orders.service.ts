import { CacheError } from '@bff/infra/cache/cache.errors';
import { Audit } from '@bff/infra/logging/audit';
import { runAsWrite } from '@bff/infra/sources/write-work';
import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable, Logger } from '@nestjs/common';
import { usersOfAccount } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';
import { OrderQueries, ORDERS_SHOWN_MAX } from './order-queries.js';
import type { OrderDetail, OrderList, OrderRequest } from './order.types.js';
import { OrderOutcomeUnknownError } from './orders.errors.js';
import { OrdersCacheService } from './orders-cache.service.js';
import { OvertakenReads } from './overtaken-reads.js';
import { OrderPlacement } from './placing/order-placement.js';

/** Prefix of order ids in every org (Salesforce Help, "Standard Field Record ID Prefix Decoder"). */
const ORDER_PREFIX = '801';

/** Orders of one account at a time: no method returns data of another account. */
@Injectable()
export class OrdersService {
  private readonly logger = new Logger(OrdersService.name);

  constructor(
    private readonly cache: OrdersCacheService,
    private readonly queries: OrderQueries,
    private readonly placement: OrderPlacement,
    private readonly notifications: Notifications,
    private readonly overtaken: OvertakenReads,
    private readonly audit: Audit,
  ) {}

  /** The account's newest `ORDERS_SHOWN_MAX` orders. */
  async list(account: SalesforceId): Promise<OrderList> {
    let isFetched = false;
    const orders = await this.cache.getOrderSummaries(account, (context) => {
      isFetched = true;
      return this.queries.summaries(account, context);
    });
    if (isFetched) void this.overtaken.look(account, () => this.cache.isKept(account));
    return { orders: orders.slice(0, ORDERS_SHOWN_MAX), isComplete: orders.length <= ORDERS_SHOWN_MAX };
  }

  /** The order; undefined if there is none or it is another account's. The caller cannot tell the two apart. */
  async get(account: SalesforceId, id: SalesforceId): Promise<OrderDetail | undefined> {
    if (!id.startsWith(ORDER_PREFIX)) return undefined; // an id of another object needs no query
    let isFetched = false;
    const order = await this.cache.getOrder(account, id, (context) => {
      isFetched = true;
      return this.queries.detail(account, id, context);
    });
    if (isFetched && order) void this.overtaken.look(account, () => this.cache.isKept(account, id));
    return order ?? undefined;
  }

  /**
   * Places an order and resolves with its id when no list without it can be read any more. With an idempotency key it
   * places one order for all requests with that key, and rejects as `OrderPlacement.place` says. If the store does not
   * answer, it resolves as well, so that no caller repeats the order: reads then bypass the store, and the order's own
   * change event is retried until the list is gone. An order whose outcome is unknown rejects with
   * `OrderOutcomeUnknownError` after the list has been dropped as well, because the customer looks for the order there
   * next.
   */
  async create(account: SalesforceId, request: OrderRequest, idempotencyKey?: string): Promise<SalesforceId> {
    try {
      const id = await runAsWrite(() => this.placement.place(account, request, idempotencyKey));
      this.audit.record('order.placed', { order: id });
      await this.dropAfterWrite(account, id);
      return id;
    } catch (error) {
      const isUnknown = error instanceof OrderOutcomeUnknownError;
      this.audit.record(isUnknown ? 'order.outcome-unknown' : 'order.refused', { reason: reasonOf(error) });
      if (isUnknown) await this.dropAfterWrite(account);
      throw error;
    }
  }

  private async dropAfterWrite(account: SalesforceId, id?: SalesforceId): Promise<void> {
    try {
      await this.cache.invalidateWritten(account, id);
      const source = id && `order ${id}`;
      await this.notifications.tell([{ name: 'orders.changed', audience: usersOfAccount(account), source }]);
    } catch (error) {
      // The order is (or may be) placed, so every error stops here: a cache error would make the caller place it again.
      const order = id === undefined ? 'an order may have been created' : `order ${id} was created`;
      const text = `${order}, but its account's list is left to the change event`;
      if (error instanceof CacheError) this.logger.warn(`${text}: ${error.message}`);
      else this.logger.error({ err: error }, text);
    }
  }
}

/**
 * The stable code of the error or, for a defect, the name of its class; for an unknown outcome with a cause, the same
 * of its cause.
 */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const telling = error instanceof OrderOutcomeUnknownError && cause instanceof Error ? cause : error;
  const { code, name } = telling as { code?: unknown; name?: unknown };
  return String(code ?? name);
}
