import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { OrgState } from './org-state.js';
import { Transaction, type WriteContext } from './transaction.js';

/** Receives every committed transaction, in order, with the records in their committed state. */
export type CommitListener = (transaction: Transaction) => void;

/**
 * The records of one Salesforce org. Every write of the REST API, of a test or of made-up data goes through a
 * transaction. Transactions are synchronous: no other write can come between their steps.
 */
export class Org extends OrgState {
  private readonly listeners: CommitListener[] = [];

  /**
   * Runs `work` and returns its result. A throw undoes all its writes and announces nothing.
   * @param context the writer; by default the org itself (events then carry an empty `changeOrigin`)
   */
  transaction<T>(work: (transaction: Transaction) => T, context?: Partial<WriteContext>): T {
    const transaction = new Transaction(this, { origin: '', userId: this.userId, ...context });
    let result: T;
    try {
      result = work(transaction);
    } catch (error) {
      transaction.rollbackTo(0);
      throw error;
    }
    if (transaction.steps.length > 0) for (const listener of this.listeners) listener(transaction);
    return result;
  }

  onCommit(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Creates one record (or publishes one platform event) and returns its id. */
  create(objectName: string, fields: Readonly<Record<string, unknown>>): string {
    return this.transaction((transaction) => transaction.create(objectName, fields));
  }

  update(objectName: string, id: string, fields: Readonly<Record<string, unknown>>): void {
    this.transaction((transaction) => transaction.update(objectName, toSalesforceId(id), fields));
  }

  delete(objectName: string, id: string): void {
    this.transaction((transaction) => transaction.delete(objectName, toSalesforceId(id)));
  }

  undelete(objectName: string, id: string): void {
    this.transaction((transaction) => transaction.undelete(objectName, toSalesforceId(id)));
  }
}
