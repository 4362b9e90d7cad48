import { randomBytes } from 'node:crypto';
import { SalesforceFault } from '../../org/org.errors.js';
import type { QueryResult } from '../../soql/query-runner.js';
import type { RowJson } from '../../soql/select.js';

/**
 * Maximum number of answers kept for their further pages; then the oldest is dropped, as Salesforce does after 15
 * minutes.
 */
const CURSORS_MAX = 50;

/** Cuts answers into pages and keeps the answers that have several for `nextRecordsUrl`. */
export class QueryPages {
  private readonly cursors = new Map<string, readonly RowJson[]>();

  first({ totalSize, rows }: QueryResult, version: string, batchSize: number): Record<string, unknown> {
    if (rows.length <= batchSize) return { totalSize, done: true, records: rows };
    const locator = `01g5g${randomBytes(5).toString('hex')}`;
    this.cursors.set(locator, rows);
    const oldest = this.cursors.size > CURSORS_MAX ? this.cursors.keys().next().value : undefined;
    if (oldest !== undefined) this.cursors.delete(oldest);
    return this.page(locator, rows, 0, version, batchSize);
  }

  /** The page at a locator, `01g…-2000`. Throws INVALID_QUERY_LOCATOR if the page does not exist or was dropped. */
  next(locatorAndStart: string, version: string, batchSize: number): Record<string, unknown> {
    const [, locator, start] = /^(\w+)-(\d+)$/.exec(locatorAndStart) ?? [];
    const rows = locator === undefined ? undefined : this.cursors.get(locator);
    if (locator === undefined || rows === undefined || Number(start) >= rows.length) {
      throw new SalesforceFault(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
    }
    return this.page(locator, rows, Number(start), version, batchSize);
  }

  private page(
    locator: string,
    rows: readonly RowJson[],
    start: number,
    version: string,
    batchSize: number,
  ): Record<string, unknown> {
    const end = start + batchSize;
    const records = rows.slice(start, end);
    if (end >= rows.length) return { totalSize: rows.length, done: true, records };
    const nextRecordsUrl = `/services/data/${version}/query/${locator}-${end}`;
    return { totalSize: rows.length, done: false, nextRecordsUrl, records };
  }
}
