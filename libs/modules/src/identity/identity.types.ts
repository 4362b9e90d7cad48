import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';

/** The account that a portal user acts for. */
export interface AccountMapping {
  readonly salesforceAccountId: SalesforceId;
  /** Null while the account is not linked with the billing system. */
  readonly whmcsClientId: number | null;
}
