/** Amounts are decimal numbers in `currencyCode`; dates are `YYYY-MM-DD`, null for never. */
export interface WhmcsInvoice {
  readonly id: number;
  readonly clientId: number;
  readonly invoiceNumber: string;
  readonly date: string | null;
  readonly dueDate: string | null;
  readonly datePaid: string | null;
  readonly subtotal: number;
  readonly tax: number;
  readonly total: number;
  readonly status: string;
  readonly currencyCode: string;
}

export interface WhmcsInvoiceDetail extends WhmcsInvoice {
  readonly items: readonly { readonly id: number; readonly description: string; readonly amount: number }[];
}

/** Dates are `YYYY-MM-DD`, null for never: a one-time service has no next due date. */
export interface WhmcsService {
  readonly id: number;
  readonly clientId: number;
  readonly orderId: number;
  readonly name: string;
  readonly groupName: string;
  readonly status: string;
  readonly billingCycle: string;
  readonly recurringAmount: number;
  readonly registrationDate: string | null;
  readonly nextDueDate: string | null;
}

export interface WhmcsPaymentMethod {
  readonly id: number;
  readonly type: string;
  readonly description: string;
  readonly gatewayName: string;
  /** The last four digits of a card; the client exposes no more of its number. */
  readonly cardLastFour: string | null;
  readonly expiryDate: string | null;
}

export interface WhmcsPaymentGateway {
  readonly module: string;
  readonly displayName: string;
}
