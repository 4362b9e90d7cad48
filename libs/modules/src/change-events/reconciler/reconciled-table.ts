import { pause } from '@bff/integrations/salesforce/events/back-off';
import type { QueryOptions } from '@bff/integrations/salesforce/salesforce.client';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import type { Announced } from '../consuming/announced.js';
import { AnnouncedValues } from '../consuming/announced-values.js';
import { gapEvents, moveEvents, overflowEvent } from './reconciler-events.js';
import type { ResolvedReconcilerOptions, WatchedTable } from '../reconciler.options.js';
import { newestChange, rowsChangedSince, rowsUnchangedSince, type ChangedRow } from './reconciler-rows.js';

/** Results of a table's runs since the process began. */
export interface TableCounters {
  runs: number;
  /** Milliseconds since the epoch when the last completed run ended. */
  lastRunAt: number | undefined;
  apiCalls: number;
  missed: number;
  rechecked: number;
  wholeTables: number;
}

/** Maximum number of found rows whose ids are logged. */
const IDS_SHOWN_MAX = 5;

/**
 * How long the drop of a whole table waits at least after the newest change was read. By then the second of that change
 * is over by the org's clock too, so the drop covers all its rows.
 */
const SECOND_OVER_MS = 2_000;

/**
 * Maximum number of rows, last changed first, whose values are read at the start and after all known values were
 * dropped: five pages of a query.
 */
const SETTLED_ROWS_MAX = 10_000;

/**
 * One table, in one process, for as long as it is the active one. Its position is the org's time up to which every
 * change is dealt with. It advances to a time only when the overlap has passed since that time was first seen as the
 * newest, by this process's elapsed time, so the two clocks are never compared. Until then rows are read again and
 * recognised. Only the drop of a whole table advances it at once.
 */
export class ReconciledTable {
  private settledUpTo: number | undefined;
  /** For each run that saw a newer change than all before it, oldest first: when it started, and that newest change. */
  private readonly seen: { readonly atMs: number; readonly newest: number }[] = [];
  /** The org's time from which on this process should have heard every change; undefined: not known yet. */
  private heardSince: number | undefined;
  private gaps = 0;
  private readonly values: AnnouncedValues;
  private readonly listFields: readonly string[];
  /** The epoch of `values` for which the settled rows were read. */
  private settledEpoch: number | undefined;

  constructor(
    private readonly watched: WatchedTable,
    private readonly counters: TableCounters,
    private readonly announced: Announced,
    private readonly options: ResolvedReconcilerOptions,
  ) {
    this.listFields = watched.listFields ?? [];
    this.values = new AnnouncedValues(watched.table, this.listFields, options.recordsMax);
  }

  /** Records events that this process received as the active one, including those of other tables. */
  heard(events: readonly SourceEvent[]): void {
    this.values.heard(events);
  }

  /** Changes before now need not have been heard: everything that they concern was dropped, or will be. */
  gap(): void {
    this.gaps += 1;
    this.heardSince = undefined;
  }

  /**
   * Looks once. Resolves early when stopped; rejects, losing nothing, when Salesforce, the cache or the positions fail.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { counters, gaps } = this;
    const startedMs = performance.now();
    this.settledUpTo ??= await this.begin(signal);
    await this.learnSettled(this.settledUpTo, signal);
    const wanted = { since: this.settledUpTo, limit: this.options.rowsMax, fields: this.listFields };
    const rows = await this.query(signal, (org, table, query) => rowsChangedSince(org, table, wanted, query));
    const newest =
      rows.length >= this.options.rowsMax ? await this.dropWhole(signal) : await this.dropUnannounced(rows, signal);
    if (signal.aborted) return;
    if (gaps === this.gaps) this.heardSince ??= newest;
    await this.settle(startedMs, newest);
    counters.runs += 1;
    counters.lastRunAt = Date.now();
  }

  /**
   * The position that the last active process saved. Without one, the time of the newest change: earlier changes are
   * not looked for.
   */
  private async begin(signal: AbortSignal): Promise<number> {
    const saved = Date.parse((await this.options.positions.load(this.watched.table)) ?? '');
    if (Number.isFinite(saved)) return saved;
    const newest = await this.query(signal, newestChange);
    await this.save(newest);
    return newest;
  }

  /**
   * Learns the values of the rows that last changed before the position. These rows have been dealt with, so the next
   * change of one of them needs no second look.
   */
  private async learnSettled(upTo: number, signal: AbortSignal): Promise<void> {
    const { epoch } = this.values;
    if (this.listFields.length === 0 || this.settledEpoch === epoch) return;
    const limit = Math.min(SETTLED_ROWS_MAX, this.options.recordsMax);
    const wanted = { upTo, limit, fields: this.listFields };
    const rows = await this.query(signal, (org, table, query) => rowsUnchangedSince(org, table, wanted, query));
    if (epoch !== this.values.epoch) return;
    this.values.applied(rows.reverse()); // the longest unchanged is forgotten first
    this.settledEpoch = epoch;
  }

  /**
   * Hands on the rows that no event announces within the grace. Returns the newest change that the rows show or,
   * without rows, the position.
   */
  private async dropUnannounced(rows: readonly ChangedRow[], signal: AbortSignal): Promise<number> {
    const { counters } = this;
    const newest = rows.at(-1)?.modifiedAt ?? this.settledUpTo ?? 0;
    let found = this.unannounced(rows);
    if (found.length === 0) return newest;
    const wasCaughtUp = this.isCaughtUp();
    await pause(this.options.graceMs, signal);
    found = this.unannounced(found);
    if (signal.aborted || found.length === 0) return newest;
    const missed = wasCaughtUp && this.isCaughtUp() ? found.filter((row) => this.shouldHaveBeenHeard(row)) : [];
    await this.handOn(found);
    counters.missed += missed.length;
    counters.rechecked += found.length - missed.length;
    if (missed.length > 0) this.options.log('warn', `${this.watched.table}: ${described(missed)}`);
    return newest;
  }

  /** For an announced change it hands on only the list fields: the record's own entries have been dropped. */
  private async handOn(rows: readonly ChangedRow[]): Promise<void> {
    const { announced, listFields, values, watched } = this;
    const moved = rows.filter((row) => this.isAnnounced(row));
    const unannounced = rows.filter((row) => !this.isAnnounced(row));
    await watched.apply([...gapEvents(unannounced, watched), ...moveEvents(moved, listFields, watched)]);
    announced.applied(unannounced);
    values.applied(rows);
  }

  /**
   * Drops the whole table when too many rows changed to look at each. Returns the newest change that this has dealt
   * with.
   */
  private async dropWhole(signal: AbortSignal): Promise<number> {
    const { counters, watched } = this;
    const newest = await this.query(signal, newestChange);
    await pause(Math.max(this.options.graceMs, SECOND_OVER_MS), signal);
    if (signal.aborted) return newest;
    await watched.apply([overflowEvent(newest, watched)]);
    counters.wholeTables += 1;
    const rows = `${this.options.rowsMax} or more rows have changed since the last position`;
    this.options.log('warn', `${watched.table}: ${rows}; all entries with any of them are dropped`);
    // The position moves without waiting for the overlap, because reading the rows again would return as many. A row of
    // a transaction that is still open may escape, if its event does too.
    this.seen.length = 0;
    await this.save(newest);
    this.settledUpTo = newest;
    this.values.everythingTold(newest);
    this.heardSince = undefined; // what was heard before no longer matters
    return newest;
  }

  /** Moves the position to the newest change of one overlap ago: no change of that time can still appear. */
  private async settle(startedMs: number, newest: number): Promise<void> {
    const { seen } = this;
    const last = seen.at(-1)?.newest ?? this.settledUpTo ?? 0;
    if (newest > last) seen.push({ atMs: startedMs, newest });
    const open = seen.findIndex(({ atMs }) => atMs > startedMs - this.options.overlapMs);
    const settledCount = open === -1 ? seen.length : open;
    const settled = seen[settledCount - 1];
    if (settled === undefined) return;
    await this.save(settled.newest);
    this.settledUpTo = settled.newest;
    seen.splice(0, settledCount);
  }

  private save(position: number): Promise<void> {
    return this.options.positions.save(this.watched.table, new Date(position).toISOString());
  }

  private unannounced(rows: readonly ChangedRow[]): ChangedRow[] {
    return rows.filter((row) => !this.isAnnounced(row) || this.values.tellingOf(row) !== 'told');
  }

  private isAnnounced(row: ChangedRow): boolean {
    return this.announced.covers(this.watched.table, row, this.heardSince);
  }

  private shouldHaveBeenHeard(row: ChangedRow): boolean {
    if (this.heardSince === undefined || row.modifiedAt <= this.heardSince) return false;
    return (
      !this.announced.mayHaveForgotten(row) && (!this.isAnnounced(row) || this.values.tellingOf(row) === 'different')
    );
  }

  private isCaughtUp(): boolean {
    return this.watched.isCaughtUp?.() ?? true;
  }

  private query<T>(
    signal: AbortSignal,
    ask: (org: ResolvedReconcilerOptions['salesforce'], table: string, options: QueryOptions) => Promise<T>,
  ): Promise<T> {
    const onRequest = (): void => void (this.counters.apiCalls += 1);
    return ask(this.options.salesforce, this.watched.table, { signal, onRequest });
  }
}

function described(missed: readonly ChangedRow[]): string {
  const ids = missed.slice(0, IDS_SHOWN_MAX).map(({ id, isDeleted }) => (isDeleted ? `${id} (deleted)` : id));
  const rest = missed.length - ids.length;
  const what = missed.length === 1 ? '1 change was' : `${missed.length} changes were`;
  return `${what} announced by no event and found by asking: ${ids.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
