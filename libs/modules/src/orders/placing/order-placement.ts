import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { IdempotentWork, type Attempt, type HeldClaim } from '@bff/infra/idempotency/idempotent-work';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable, Logger } from '@nestjs/common';
import type { OrderRequest } from '../order.types.js';
import {
  FinalOrderError,
  OrderNotPlacedTwiceError,
  OrderOutcomeUnknownError,
  RememberedOrderError,
} from '../orders.errors.js';
import { OrderCreation } from './order-creation.js';
import { RequestIdField } from './request-id-field.js';

/** What is remembered of a request: the order, or why there is none. */
type PlacementAnswer = { readonly id: SalesforceId } | { readonly code: string; readonly message: string };

/**
 * Places orders, once for each idempotency key of an account. What makes it once: the store of the keys while it
 * answers, and the org's unique field where the org has it, also after a crash and while the store is away.
 */
@Injectable()
export class OrderPlacement {
  private readonly logger = new Logger(OrderPlacement.name);

  constructor(
    private readonly creation: OrderCreation,
    private readonly work: IdempotentWork,
    private readonly requestIdField: RequestIdField,
    private readonly pseudonyms: Pseudonyms,
  ) {}

  /**
   * Resolves with the id of the order. With a key, every request of the account with this key and content resolves with
   * the same id, or rejects with the same `FinalOrderError`, for as long as the answer is remembered; it rejects with
   * `IdempotencyKeyReusedError` for another content, and with `IdempotencyKeyInUseError` while the first request is
   * under way. Also rejects as `OrderCreation.create` does.
   */
  async place(account: SalesforceId, request: OrderRequest, key?: string): Promise<SalesforceId> {
    if (key === undefined) return this.creation.create(account, request);
    const scope = `${account}\0${key}`;
    const answer = await this.work.once<PlacementAnswer>(
      this.pseudonyms.of('idempotency-key', scope),
      this.pseudonyms.of('order-content', contentOf(request)),
      {
        attempt: (claim) => this.attempt(account, request, scope, claim),
        onAbandoned: () => {
          throw new OrderOutcomeUnknownError();
        },
      },
    );
    if ('id' in answer) return answer.id;
    throw new RememberedOrderError(answer.code, answer.message);
  }

  private async attempt(
    account: SalesforceId,
    request: OrderRequest,
    scope: string,
    claim: HeldClaim,
  ): Promise<Attempt<PlacementAnswer>> {
    const field = await this.requestIdField.name();
    if (claim.isStoreAway) this.warnOfStore();
    try {
      const id = await this.creation.create(account, request, {
        ...(field !== undefined && {
          mark: { field, value: this.requestIdOf(scope), mayBePlaced: claim.mayBeDone },
        }),
        beforeWrite: () => claim.confirm({ canRepeat: field !== undefined }),
      });
      return { answer: { id }, isLasting: true };
    } catch (error) {
      if (error instanceof FinalOrderError) {
        return { answer: { code: error.code, message: error.message }, isLasting: true };
      }
      if (error instanceof SalesforceError && error.salesforceCode?.startsWith('INVALID_FIELD')) {
        this.requestIdField.forget();
      }
      if (!(error instanceof OrderOutcomeUnknownError)) throw error;
      await claim.abandon();
      throw field === undefined ? error : new OrderNotPlacedTwiceError({ cause: error.cause });
    }
  }

  /** 32 hexadecimal digits, the same in every process with the same `PSEUDONYM_KEY`. */
  private requestIdOf(scope: string): string {
    return Buffer.from(this.pseudonyms.of('order-request', scope), 'base64url').toString('hex');
  }

  private warnOfStore(): void {
    this.logger.warn('an order has an Idempotency-Key, and the store that remembers keys does not answer');
  }
}

/** The content of a request in one form only, whatever the order of its fields was. */
function contentOf({ items }: OrderRequest): string {
  return JSON.stringify(items.map(({ productId, quantity }) => [productId, quantity]));
}
