/**
 * An invoice as lists show it. Amounts are decimal numbers in `currency`; dates are `YYYY-MM-DD`, null if there is
 * none.
 */
export interface InvoiceSummary {
  readonly id: number;
  readonly number: string;
  readonly status: string;
  readonly date: string | null;
  readonly dueDate: string | null;
  readonly datePaid: string | null;
  readonly subtotal: number;
  readonly tax: number;
  readonly total: number;
  readonly currency: string;
}

/** An invoice with its lines. */
export interface Invoice extends InvoiceSummary {
  readonly items: readonly { readonly id: number; readonly description: string; readonly amount: number }[];
}

/** A service that the customer is billed for. */
export interface BillingSubscription {
  readonly id: number;
  readonly orderId: number;
  readonly name: string;
  readonly group: string;
  readonly status: string;
  readonly billingCycle: string;
  readonly recurringAmount: number;
  readonly registrationDate: string | null;
  readonly nextDueDate: string | null;
}

/** A stored payment method, with only the last four digits of a card. */
export interface PaymentMethod {
  readonly id: number;
  readonly type: string;
  readonly description: string;
  readonly gateway: string;
  readonly cardLastFour: string | null;
  readonly expiryDate: string | null;
}

/** A payment method that this installation offers. */
export interface PaymentGateway {
  readonly name: string;
  readonly label: string;
}

/** The answer of `GET /api/payment-methods`. */
export interface PaymentMethods {
  readonly methods: readonly PaymentMethod[];
  readonly gateways: readonly PaymentGateway[];
}
