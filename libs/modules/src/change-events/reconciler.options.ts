import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import type { StreamLog } from '@bff/integrations/salesforce/events/stream.options';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { RECORDS_MAX } from './announced.js';

/** An object whose changes are looked for, and who is told of those that no event announced. */
export interface WatchedTable {
  /** The object's API name. One that several listen for is watched once. */
  readonly table: string;
  /** Where its events should have come. */
  readonly topic: string;
  /** Fields that decide which lists a row is in: what they show was announced, or it is handed on. @default none */
  readonly listFields?: readonly string[];
  /** Events that stand for what was found. Resolves when the invalidations are acknowledged; after a rejection they come again. */
  apply(events: readonly ChangeEvent[]): Promise<void>;
  /**
   * Whether whatever arrives on the topic is heard at once: it is live, and nothing waits. What is found while it is not is
   * dropped, but not called missed: its event may still come. @default always
   */
  isCaughtUp?(): boolean;
}

/** Where the positions of tables are kept, durably: the same for every process that follows the org. */
export interface ReconcilerPositions {
  load(table: string): Promise<string | undefined>;
  /** Rejects for whoever may not write it any more. */
  save(table: string, position: string): Promise<void>;
}

/** What a `Reconciler` is made with. Every option below `periodMs` has a default that fits a real org. */
export interface ReconcilerOptions {
  readonly tables: readonly WatchedTable[];
  readonly salesforce: Pick<SalesforceClient, 'query'>;
  readonly positions: ReconcilerPositions;
  /** Within this time of its commit a change that no event announced is repaired. */
  readonly periodMs: number;
  /**
   * How long an event may be behind the row that it tells of. A row is called missed when so long after it was seen no event
   * of it has come. CDC takes 1 to 5 s in experience; nothing is promised. @default 10000, a quarter of a shorter period
   */
  readonly graceMs?: number;
  /**
   * How much later than its `SystemModstamp` a row may become visible: it is written when the statement runs, and seen when
   * the transaction ends. @default 660000: an Apex transaction runs for at most 10 minutes (Execution Governors and Limits),
   * and the org's servers have clocks of their own
   */
  readonly overlapMs?: number;
  /** Rows looked at in one run of a table; beyond it the whole table is dropped. 2000 are one API request. @default 10000 */
  readonly rowsMax?: number;
  /** Records of which is remembered what was heard; and in each table, of which lists were told. @default 100000 */
  readonly recordsMax?: number;
  /** Told of what was found, and of every change of state. @default nobody */
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
