import type { Soql } from './soql.js';

/** One call of a composite request; its result can be referred to by the calls after it (`@{ref.id}`). */
export interface CompositeCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/services/data/vXX.X`, e.g. `/sobjects/Order`. */
  readonly path: string;
  readonly referenceId: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A picklist value as `describe` tells it. */
export interface PicklistValue {
  readonly value: string;
  readonly label: string;
  readonly active: boolean;
}

/** How many of the org's daily API requests were used, by the newest answer's `Sforce-Limit-Info`. */
export interface ApiUsage {
  readonly used: number;
  readonly limit: number;
}

/** How a query is asked. */
export interface QueryOptions {
  /** Who waits gives up; the request under way still counts and ends by itself. */
  readonly signal?: AbortSignal;
  /**
   * Records in the recycle bin, too (REST API Developer Guide, "QueryAll"); `IsDeleted` tells them apart. Those that have
   * left it are not found in any way. @default false
   */
  readonly includeDeleted?: boolean;
  /** Called for each API request as it is sent, one a page: what the query uses of the org's daily requests, without repeats. */
  readonly onRequest?: () => void;
}

/** The Salesforce org over REST. Bounded in concurrency and time; signs in again when the session has expired. */
export abstract class SalesforceClient {
  /** All records of a query, further pages included. Rejects with `SalesforceError`. */
  abstract query<T>(query: Soql, options?: QueryOptions): Promise<T[]>;
  /** All calls in one request, all or none; the results' bodies in order. */
  abstract composite(calls: readonly CompositeCall[]): Promise<unknown[]>;
  abstract picklist(object: string, field: string): Promise<PicklistValue[]>;
  /** The org's 18-character id. */
  abstract organizationId(): Promise<string>;
  abstract apiUsage(): ApiUsage | undefined;
}
