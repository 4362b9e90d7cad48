import type { Transaction } from '../org/transaction.js';

/** One REST call below `/services/data/vXX.X`, alone or inside a composite request. */
export interface ApiCall {
  readonly method: string;
  /** The address under which the caller reached the org: `http://127.0.0.1:4000`. */
  readonly baseUrl: string;
  /** For example `v67.0`. */
  readonly version: string;
  /** The segments after the version, decoded: `['sobjects', 'Order', '801…']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Maximum records in one page of an answer. */
  readonly batchSize: number;
  readonly transaction: Transaction;
}

/** The answer to a call. An undefined `body` is an empty one. */
export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
