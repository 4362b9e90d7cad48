/** The order contains products that are not for sale (unknown, inactive, or without a price). Nothing was created. */
export class ProductNotSoldError extends Error {
  readonly code = 'ORDER_PRODUCT_NOT_SOLD';
  constructor(readonly productIds: readonly string[]) {
    super(`not for sale: ${productIds.join(', ')}; order products that GET /api/catalog/:category lists with a price`);
    this.name = 'ProductNotSoldError';
  }
}

/** Salesforce refused to create the order. Nothing was created. */
export class OrderRefusedError extends Error {
  readonly code = 'ORDER_REFUSED';
  constructor(detail: string, options?: ErrorOptions) {
    super(`the order was refused: ${detail}`, options);
    this.name = 'OrderRefusedError';
  }
}

/** It is unknown whether Salesforce created the order; `cause` says why. Callers must assume neither. */
export class OrderOutcomeUnknownError extends Error {
  readonly code = 'ORDER_OUTCOME_UNKNOWN';
  constructor(options: ErrorOptions) {
    super('the order may have been placed; look at GET /api/orders before ordering again', options);
    this.name = 'OrderOutcomeUnknownError';
  }
}
