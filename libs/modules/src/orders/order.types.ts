/** The newest orders of an account, newest first. */
export interface OrderList {
  readonly orders: readonly OrderSummary[];
  /** Whether the account has no others. */
  readonly isComplete: boolean;
}

/** An order as lists show it. */
export interface OrderSummary {
  readonly id: string;
  readonly orderNumber: string;
  readonly status: string;
  readonly type: string | null;
  /** `YYYY-MM-DD`. */
  readonly effectiveDate: string;
  readonly totalAmount: number;
  /** An instant in UTC, RFC 3339: `2026-01-01T10:00:00.000Z`. */
  readonly createdAt: string;
  readonly itemCount: number;
}

/** One line of an order. */
export interface OrderItem {
  readonly id: string;
  readonly itemNumber: string;
  readonly productId: string;
  readonly productName: string | null;
  readonly productCode: string | null;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly totalPrice: number;
  readonly description: string | null;
  readonly billingCycle: string | null;
}

/** An order with its lines. */
export interface OrderDetail extends OrderSummary {
  readonly items: readonly OrderItem[];
}

/** A customer's order request: products with quantities. */
export interface OrderRequest {
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
}
