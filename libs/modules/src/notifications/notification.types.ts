import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';

/** What a browser can be told of: that something of this kind has changed, so that reading it again is worth it. */
export type ChangeName = 'orders.changed' | 'catalog.changed' | 'eligibility.changed' | 'billing.changed';

/** Told when nobody knows what has changed: everything that is shown is to be read again. */
export const RESYNC = 'resync';

/** Whom a notice concerns: the users of an account, of a billing client. */
export type Audience = `account:${string}` | `client:${number}`;

/** A change that somebody is to be told of. */
export interface Notification {
  readonly name: ChangeName;
  /** null: everybody. */
  readonly audience: Audience | null;
  /** What happened, by its id at the source: told once, however often it is said. @default none: told each time */
  readonly source?: string | undefined;
}

/** Everybody who is signed in for this account. */
export function usersOfAccount(account: SalesforceId): Audience {
  return `account:${account}`;
}

/** Everybody whose account is billed as this client. */
export function usersOfClient(client: number): Audience {
  return `client:${client}`;
}
