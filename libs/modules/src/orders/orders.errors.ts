/**
 * A refusal after which nothing was created by the request. It is remembered: the same request with the same
 * idempotency key gets it again.
 */
export abstract class FinalOrderError extends Error {
  abstract readonly code: string;
}

/** The order contains products that are not for sale (unknown, inactive, or without a price). Nothing was created. */
export class ProductNotSoldError extends FinalOrderError {
  readonly code = 'ORDER_PRODUCT_NOT_SOLD';
  constructor(readonly productIds: readonly string[]) {
    super(`not for sale: ${productIds.join(', ')}; order products that GET /api/catalog/:category lists with a price`);
    this.name = 'ProductNotSoldError';
  }
}

/** The order contains products that this account may not order. Nothing was created. */
export class OrderNotEligibleError extends FinalOrderError {
  readonly code = 'ORDER_NOT_ELIGIBLE';
  constructor(reasons: readonly string[]) {
    super(`not open to this account: ${reasons.join('; ')}; GET /api/catalog/eligibility says what it may order`);
    this.name = 'OrderNotEligibleError';
  }
}

/** The total of the order is above the limit. Nothing was created. */
export class OrderTooLargeError extends FinalOrderError {
  readonly code = 'ORDER_TOO_LARGE';
  constructor(total: number, totalMax: number) {
    super(`the total of the order is ${total}, and at most ${totalMax} is taken here; order less, or ask sales`);
    this.name = 'OrderTooLargeError';
  }
}

/** Salesforce refused to create the order. Nothing was created. `detail` says why, and `advice` what to do. */
export class OrderRefusedError extends FinalOrderError {
  readonly code = 'ORDER_REFUSED';
  constructor(detail: string, options?: ErrorOptions, advice = 'contact support and quote the request id') {
    super(`the order was refused: ${detail}; ${advice}`, options);
    this.name = 'OrderRefusedError';
  }
}

/** The remembered refusal of an earlier request with the same idempotency key, with that request's code and words. */
export class RememberedOrderError extends FinalOrderError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'RememberedOrderError';
  }
}

/** It is unknown whether Salesforce created the order; `cause` says why. Callers must assume neither. */
export class OrderOutcomeUnknownError extends Error {
  readonly code = 'ORDER_OUTCOME_UNKNOWN';
  constructor(options?: ErrorOptions, advice = 'look at GET /api/orders before ordering again') {
    super(`the order may have been placed; ${advice}`, options);
    this.name = 'OrderOutcomeUnknownError';
  }
}

/** The outcome is unknown, and the same request with the same idempotency key finds it out without ordering twice. */
export class OrderNotPlacedTwiceError extends OrderOutcomeUnknownError {
  constructor(options: ErrorOptions) {
    super(options, 'send it again with the same Idempotency-Key: it is not placed a second time');
    this.name = 'OrderNotPlacedTwiceError';
  }
}
