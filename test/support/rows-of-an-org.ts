import type { QueryOptions } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { Soql } from '@bff/integrations/salesforce/soql';

/** When the org's clock starts; it is unrelated to the process's clock. */
export const T0 = Date.parse('2031-01-01T00:00:00Z');

/** The id of the order with this number. */
export const orderId = (n: number) => toSalesforceId(`801${String(n).padStart(12, '0')}`);

/** Rows of one object, stamped by an org's clock that the test moves. */
export class RowsOfAnOrg {
  nowMs = T0;
  /** The time after which the last query asked for changes; 0 if it asked for all. */
  since = 0;
  private readonly rows = new Map<number, Record<string, unknown>>();

  /** Changes the row, or creates it. */
  write(n: number, { isDeleted = false, at = this.nowMs, fields = {} } = {}): void {
    const stamp = new Date(Math.floor(at / 1_000) * 1_000).toISOString();
    const before = this.rows.get(n);
    const CreatedDate = before?.['CreatedDate'] ?? stamp;
    const system = { Id: orderId(n), IsDeleted: isDeleted, CreatedDate, SystemModstamp: stamp };
    this.rows.set(n, { ...before, ...fields, ...system });
  }

  query<T>({ text }: Soql, options?: QueryOptions): Promise<T[]> {
    options?.onRequest?.();
    const upTo = Date.parse(/SystemModstamp <= (\S+)/.exec(text)?.[1] ?? '9999-12-31');
    this.since = Date.parse(/SystemModstamp > (\S+)/.exec(text)?.[1] ?? new Date(0).toISOString());
    const limit = Number(/LIMIT (\d+)/.exec(text)?.[1]);
    const order = text.includes('DESC') ? -1 : 1;
    const stampOf = (row: Record<string, unknown>) => Date.parse(String(row['SystemModstamp']));
    const found = [...this.rows.values()].filter((row) => stampOf(row) > this.since && stampOf(row) <= upTo);
    found.sort((a, b) => order * (stampOf(a) - stampOf(b)));
    return Promise.resolve(found.slice(0, limit) as T[]);
  }
}
