import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import type { StreamLog } from '@bff/integrations/salesforce/events/stream.options';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { RECORDS_MAX } from './consuming/announced.js';

/** An object that is searched for unannounced changes, and the receiver of those found. */
export interface WatchedTable {
  /** The object's API name. An object with several subscriptions is watched once. */
  readonly table: string;
  /** The topic on which its events should arrive. */
  readonly topic: string;
  /** Fields that decide which lists a row is in; unannounced values of theirs are handed on. @default none */
  readonly listFields?: readonly string[];
  /**
   * Receives events that stand for found changes, again after a rejection. Resolves when their invalidations are
   * acknowledged.
   */
  apply(events: readonly ChangeEvent[]): Promise<void>;
  /**
   * Whether the topic is live with nothing waiting, so that an arriving event is heard at once. A change found at any
   * other time drops its entries but does not count as missed: its event may still come. @default always
   */
  isCaughtUp?(): boolean;
}

/** Durable storage of the tables' positions, shared by every process that follows the org. */
export interface ReconcilerPositions {
  load(table: string): Promise<string | undefined>;
  /** Rejects for a process that may no longer write it. */
  save(table: string, position: string): Promise<void>;
}

/** Options of a `Reconciler`. Every option below `periodMs` has a default that fits a real org. */
export interface ReconcilerOptions {
  readonly tables: readonly WatchedTable[];
  readonly salesforce: Pick<SalesforceClient, 'query'>;
  readonly positions: ReconcilerPositions;
  /** A change that no event announced is repaired within this time of becoming visible, plus that of the query. */
  readonly periodMs: number;
  /**
   * How long an event may trail the row that it announces. A row without an event counts as missed this long after it
   * was seen. CDC takes 1 to 5 s in experience; Salesforce promises nothing. @default 10000, or a quarter of `periodMs`
   * if that is less
   */
  readonly graceMs?: number;
  /**
   * How much later than its `SystemModstamp` a row may become visible: the statement stamps it, and the end of the
   * transaction makes it visible. @default 660000: an Apex transaction runs for at most 10 minutes (Execution Governors
   * and Limits), and the org's servers have clocks of their own
   */
  readonly overlapMs?: number;
  /**
   * Maximum number of rows that one run of a table reads. If it reads as many, the whole table is dropped. 2000 rows
   * take one API request. @default 10000
   */
  readonly rowsMax?: number;
  /**
   * Maximum number of records whose events are remembered, and, for each table, of records whose announced values are.
   * @default 100000
   */
  readonly recordsMax?: number;
  /** Receives what was found, and every change of state. @default none */
  readonly log?: StreamLog;
}

/** The options with defaults applied and limits checked. Frozen. */
export type ResolvedReconcilerOptions = Readonly<Required<ReconcilerOptions>>;

/** Guarantees usable options; throws a `RangeError` that names the bad one. */
export function resolveReconcilerOptions(options: ReconcilerOptions): ResolvedReconcilerOptions {
  const { tables, salesforce, positions, log = () => undefined } = options;
  const periodMs = whole('periodMs', options.periodMs, 100, 86_400_000);
  return Object.freeze({
    tables,
    salesforce,
    positions,
    log,
    periodMs,
    graceMs: whole('graceMs', options.graceMs ?? Math.floor(Math.min(10_000, periodMs / 4)), 0, periodMs - 1),
    overlapMs: whole('overlapMs', options.overlapMs ?? 660_000, 0, 86_400_000),
    rowsMax: whole('rowsMax', options.rowsMax ?? 10_000, 1, 50_000),
    recordsMax: whole('recordsMax', options.recordsMax ?? RECORDS_MAX, 1, 1_000_000),
  });
}

function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
