import type { CallRecord } from '@bff/infra/sources/source-calls';
import type { Soql } from './soql.js';

/** One call of a composite request; later calls can refer to its result (`@{ref.id}`). */
export interface CompositeCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/services/data/vXX.X`, e.g. `/sobjects/Order`. */
  readonly path: string;
  readonly referenceId: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A picklist value from `describe`. */
export interface PicklistValue {
  readonly value: string;
  readonly label: string;
  readonly active: boolean;
}

/** What `describe` says of a field, as far as a caller here needs it. */
export interface FieldTraits {
  /** Whether this user may give the field a value in a new record. */
  readonly createable: boolean;
  /** Whether the org refuses a second record with the same value. */
  readonly unique: boolean;
}

/** The org's daily API requests used so far, from the newest answer's `Sforce-Limit-Info`, and their reserve. */
export interface ApiUsage {
  readonly used: number;
  readonly limit: number;
  /** Once no more than this many requests are left, reads of those who spend most are refused. */
  readonly reserve: number;
  /** Reads that this process has refused for that since its start. */
  readonly refused: number;
}

/** Options of one query. */
export interface QueryOptions {
  /** Abort it to stop waiting; a request under way still counts and ends by itself. */
  readonly signal?: AbortSignal;
  /**
   * Includes records in the recycle bin (REST API Developer Guide, "QueryAll"); `IsDeleted` marks them. No query finds
   * records that have left the bin. @default false
   */
  readonly includeDeleted?: boolean;
  /**
   * Called once for each page, when its request is first sent: the number of API requests that the query takes from
   * those of the day, repetitions not counted.
   */
  readonly onRequest?: () => void;
}

/** The Salesforce org over REST. Bounded in concurrency and time; signs in again when the session has expired. */
export abstract class SalesforceClient {
  /**
   * All records of a query, further pages included. Rejects with `SalesforceError`, or as the admission of the request
   * does.
   */
  abstract query<T>(query: Soql, options?: QueryOptions): Promise<T[]>;
  /** Sends all calls in one request, all or none. Resolves with the bodies of the results in order. */
  abstract composite(calls: readonly CompositeCall[]): Promise<unknown[]>;
  abstract picklist(object: string, field: string): Promise<PicklistValue[]>;
  /** The traits of a field; undefined if the object has none of this name that this user may see. One request. */
  abstract field(object: string, field: string): Promise<FieldTraits | undefined>;
  /** The org's 18-character id. */
  abstract organizationId(): Promise<string>;
  abstract apiUsage(): ApiUsage | undefined;
  /**
   * Why Salesforce refused the credentials at the newest sign-in of this process; undefined if it did not, or none was
   * needed yet.
   */
  abstract signInRefusal(): string | undefined;
  /** How the calls of this process went; those for change events are not among them. */
  abstract callRecord(): CallRecord;
}
