import { backOffMs, pause } from '@bff/integrations/salesforce/events/back-off';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { setMaxListeners } from 'node:events';
import { Announced } from '../consuming/announced.js';
import { ReconciledTable, type TableCounters } from './reconciled-table.js';
import {
  resolveReconcilerOptions,
  type ReconcilerOptions,
  type ResolvedReconcilerOptions,
} from '../reconciler.options.js';

/** A reconciler's results for one table. Counts begin with the process and continue across stand-by. */
export interface TableReconciliation extends Readonly<TableCounters> {
  readonly table: string;
  /** Consecutive runs that did not complete; 0 when the last one did. */
  readonly failures: number;
  /** Why the last run did not complete; undefined when it did. */
  readonly lastError: string | undefined;
}

/** A reconciler's results, in total and by table. */
export interface ReconcilerReport {
  readonly isRunning: boolean;
  readonly periodSeconds: number;
  /** The least recent `lastRunAt` of all tables; undefined while some table has not been looked at. */
  readonly lastRunAt: number | undefined;
  readonly apiCalls: number;
  /** Changes that no event announced while events were heard: losses of the stream, each repaired. */
  readonly missed: number;
  /**
   * Changes that were repaired but prove no loss: this process could not have heard their event or may have forgotten
   * it, or the event may still come.
   */
  readonly rechecked: number;
  /** How often too many rows had changed, so that a whole table was dropped. */
  readonly wholeTables: number;
  readonly failures: number;
  readonly tables: readonly TableReconciliation[];
}

interface Watch {
  readonly table: string;
  readonly topic: string;
  readonly counters: TableCounters;
  failures: number;
  lastError: string | undefined;
  /** Undefined before `start` and after `stop`. */
  running: ReconciledTable | undefined;
}

/**
 * The longest first wait after a run failed for a transient reason; it doubles with each further failure, up to
 * `periodMs`.
 */
const RETRY_MS_MIN = 1_000;
/**
 * The longest wait while Salesforce refuses (a limit, a permission, a field), unless `periodMs` is longer: only people
 * or the next day help.
 */
const REFUSED_RETRY_MS_MAX = 3_600_000;

/**
 * Finds changes that the stream has lost. Change events are no complete account ("in rare cases, some event messages
 * aren't delivered", Change Data Capture Guide), so it queries every watched object for the rows that have changed
 * since the last time, deleted ones included. It hands on those that no event announced as gap events, and counts them.
 * While Salesforce answers, a change is repaired within `periodMs` of becoming visible, plus the query's own time.
 *
 * It finds a move between lists even if a later change of the same record was heard: it also reads the fields that
 * decide lists and compares them with the announced values (`AnnouncedValues`). If nothing is known of a record, its
 * lists are dropped once.
 *
 * Cost: one API request per object and run, one more for every further 2000 rows (six in all at most), one when it
 * begins without a position, and, where fields decide lists, up to five when it begins and after an event for the whole
 * table. While Salesforce refuses, it asks at ever longer intervals, up to an hour; it never gives up.
 *
 * Not found: changes that leave no row (records removed from the recycle bin before a run), changes that do not move
 * `SystemModstamp` (formula fields), platform events, and a lost update of other fields that was followed by a change
 * of the same record which was heard (`Announced`); then entries are wrong only if the heard change touched internal
 * fields alone. Counted as missed, but no loss: changes that move `SystemModstamp` and have no event, such as the
 * renaming of a picklist value (Salesforce Help 000387261).
 */
export class Reconciler {
  private readonly options: ResolvedReconcilerOptions;
  private readonly announced: Announced;
  private readonly watches: readonly Watch[];
  private stopping: AbortController | undefined;
  private running: Promise<unknown> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.options = resolveReconcilerOptions(options);
    this.announced = new Announced(this.options.recordsMax);
    this.watches = this.options.tables.map(({ table, topic }) => ({
      table,
      topic,
      counters: { runs: 0, lastRunAt: undefined, apiCalls: 0, missed: 0, rechecked: 0, wholeTables: 0 },
      failures: 0,
      lastError: undefined,
      running: undefined,
    }));
  }

  /**
   * Looks at once, then periodically. Run it in one process for each org. It may be started again after `stop`, also
   * after changes that this process has not heard. Throws if it already runs.
   */
  start(): void {
    if (this.stopping !== undefined) throw new Error('the reconciler runs already; stop it first');
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    setMaxListeners(2 * this.watches.length + 1, signal); // each table waits or queries
    this.running = Promise.all(
      this.watches.map((watch, index) => {
        const watched = this.options.tables[index] as ResolvedReconcilerOptions['tables'][number];
        watch.running = new ReconciledTable(watched, watch.counters, this.announced, this.options);
        return this.watch(watch, watch.running, signal);
      }),
    );
  }

  /** Resolves when no run is under way. The next start, in any process, finds what was not handed on. */
  async stop(): Promise<void> {
    this.stopping?.abort();
    await this.running;
    this.stopping = undefined;
    for (const watch of this.watches) watch.running = undefined;
  }

  /**
   * Records events that have arrived. Call it before they are applied, so that slow handling does not look like a
   * loss. An undecodable event drops the whole tables of its topic, so it counts like a gap.
   */
  heard(events: readonly SourceEvent[]): void {
    this.announced.heard(events);
    for (const watch of this.watches) watch.running?.heard(events);
    for (const event of events) if (event.kind === 'undecodable') this.gap(event.topic);
  }

  /** Records that changes on the topic before now are unknown, and that everything they could concern was dropped. */
  gap(topic: string): void {
    for (const watch of this.watches) if (watch.topic === topic) watch.running?.gap();
  }

  report(): ReconcilerReport {
    const tables = this.watches.map(({ table, counters, failures, lastError }): TableReconciliation => ({
      table,
      ...counters,
      failures,
      lastError,
    }));
    const sum = (of: (table: TableReconciliation) => number): number => tables.reduce((all, each) => all + of(each), 0);
    const times = tables.map(({ lastRunAt }) => lastRunAt).filter((at) => at !== undefined);
    return {
      isRunning: this.stopping !== undefined,
      periodSeconds: this.options.periodMs / 1_000,
      lastRunAt: times.length < tables.length ? undefined : Math.min(...times),
      apiCalls: sum(({ apiCalls }) => apiCalls),
      missed: sum(({ missed }) => missed),
      rechecked: sum(({ rechecked }) => rechecked),
      wholeTables: sum(({ wholeTables }) => wholeTables),
      failures: sum(({ failures }) => failures),
      tables,
    };
  }

  private async watch(watch: Watch, table: ReconciledTable, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = performance.now();
      // The grace that a row's event is given is part of the period.
      let waitMs = this.options.periodMs - this.options.graceMs;
      try {
        await table.run(signal);
        if (signal.aborted) return;
        this.succeeded(watch);
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.failed(watch, error);
      }
      await pause(Math.max(0, startedMs + waitMs - performance.now()), signal);
    }
  }

  private succeeded(watch: Watch): void {
    if (watch.failures > 0) this.options.log('info', `${watch.table}: unannounced changes are looked for again`);
    watch.failures = 0;
    watch.lastError = undefined;
  }

  /** Returns the wait from this attempt's start to the next. Logs only the first failure of a series. */
  private failed(watch: Watch, error: unknown): number {
    const { log, periodMs } = this.options;
    watch.lastError = error instanceof Error ? error.message : String(error);
    watch.failures += 1;
    if (watch.failures === 1) {
      log(
        'warn',
        `${watch.table}: could not look for unannounced changes: ${watch.lastError}; trying again until it works`,
      );
    }
    const bounds = isRefusal(error)
      ? { minMs: periodMs, maxMs: Math.max(periodMs, REFUSED_RETRY_MS_MAX) }
      : { minMs: Math.min(RETRY_MS_MIN, periodMs), maxMs: periodMs };
    return backOffMs(watch.failures - 1, bounds);
  }
}

/** Retryable refusals that may last for the rest of the day. */
const OF_THE_DAY: ReadonlySet<string> = new Set(['SALESFORCE_LIMIT_EXCEEDED', 'SALESFORCE_QUOTA_RESERVED']);

/** Whether asking again soon would change nothing, or make it worse. */
function isRefusal(error: unknown): boolean {
  return error instanceof SalesforceError && (!error.retryable || OF_THE_DAY.has(error.code));
}
