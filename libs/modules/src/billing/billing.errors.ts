/** The customer's account is not connected with a billing client, so nothing can be said about its invoices: not even "none". */
export class BillingNotLinkedError extends Error {
  readonly code = 'BILLING_NOT_LINKED';
  constructor() {
    super('this account is not connected with the billing system yet; ask support to link it');
    this.name = 'BillingNotLinkedError';
  }
}
