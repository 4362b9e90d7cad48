/**
 * How many requests each account has caused at a source since the day began (UTC). It is approximate: the newest
 * requests of other processes are missing, and accounts that have not asked for long may be forgotten.
 */
export abstract class SpendLedger {
  /** Counts one request of the account. Returns at once and never throws. */
  abstract charge(account: string): void;
  /** Requests of the account today, as far as this process knows. */
  abstract spentBy(account: string): number;
  /** Requests today of the account with the most. */
  abstract heaviest(): number;
  /** Nothing is written any more. */
  abstract close(): Promise<void>;
}

/** Maximum number of accounts that are counted. The least recent is forgotten first, in Redis that with the least. */
export const ACCOUNTS_MAX = 10_000;
