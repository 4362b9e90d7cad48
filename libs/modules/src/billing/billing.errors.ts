/**
 * The account is not linked with a billing client, so nothing is known about its invoices, not even that it has none.
 */
export class BillingNotLinkedError extends Error {
  readonly code = 'BILLING_NOT_LINKED';
  constructor() {
    super('this account is not connected with the billing system yet; ask support to link it');
    this.name = 'BillingNotLinkedError';
  }
}
