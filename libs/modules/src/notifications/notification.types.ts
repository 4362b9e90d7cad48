import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';

/** The changes that a browser can learn of: data of this kind changed, so it is worth reading again. */
export type ChangeName =
  | 'orders.changed' // one a line, so that another is a line more
  | 'catalog.changed'
  | 'eligibility.changed'
  | 'billing.changed';

/** Sent when the change is unknown: everything that is shown must be read again. */
export const RESYNC = 'resync';

/** The users that a notice concerns: those of an account, or of a billing client. */
export type Audience = `account:${string}` | `client:${number}`;

/** A change to publish to browsers. */
export interface Notification {
  readonly name: ChangeName;
  /** null: all users. */
  readonly audience: Audience | null;
  /** The change's id at its source; a repeated id is published once. @default none: published each time */
  readonly source?: string | undefined;
}

/** The users who are signed in for this account. */
export function usersOfAccount(account: SalesforceId): Audience {
  return `account:${account}`;
}

/** The users whose account is billed as this client. */
export function usersOfClient(client: number): Audience {
  return `client:${client}`;
}
