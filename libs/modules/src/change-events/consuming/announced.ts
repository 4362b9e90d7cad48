import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { LRUCache } from 'lru-cache';
import type { ChangedRow } from '../reconciler/reconciler-rows.js';

/**
 * Maximum number of records remembered: one hour's changes in an org that uses up its daily event allocation. They take
 * about 25 MB.
 */
export const RECORDS_MAX = 100_000;

/** The newest announcement of one record. */
interface Heard {
  /** In whole seconds, like the stamps of rows. */
  readonly at: number;
  readonly isDeleted: boolean;
  /**
   * The lists that the record joins have been dropped: by any event but an UPDATE or a DELETE, or because the row was
   * handed on.
   */
  readonly isListed: boolean;
}

/**
 * Remembers announced changes, so that a row that changed without an event is recognised. An event counts even if it
 * changed nothing of interest. Bounded: the record least recently changed or looked up is forgotten first.
 *
 * `SystemModstamp` has whole seconds, so a row counts as announced if its newest event falls in the second of its
 * change. Not detected, because a row shows only its last change: a lost update before (or in the same second as) one
 * that was heard. If it moved the row between lists, `AnnouncedValues` detects it. Lost creations and deletions are
 * detected, whatever was heard after them.
 */
export class Announced {
  private readonly records: LRUCache<string, Heard>;
  /** By table: the time up to which one event, standing for any of its records, announced every change. */
  private readonly tables = new Map<string, number>();
  private forgottenUpTo = -Infinity;

  constructor(recordsMax: number = RECORDS_MAX) {
    this.records = new LRUCache({
      max: recordsMax,
      dispose: ({ at }, _id, reason) => {
        if (reason === 'evict') this.forgottenUpTo = Math.max(this.forgottenUpTo, at);
      },
    });
  }

  /** Records events, in any order and repeatedly. Events that name no object or cannot be read announce nothing. */
  heard(events: readonly SourceEvent[]): void {
    for (const event of events) {
      if (event.kind !== 'change') continue;
      if (event.scope === 'entity' || event.changeType === 'GAP_OVERFLOW' || event.recordIds.length === 0) {
        const { entityName, commitTimestamp } = event;
        this.tables.set(entityName, Math.max(this.wholeTableAt(entityName), commitTimestamp));
      } else {
        for (const id of event.recordIds) this.note(id, heardOf(event));
      }
    }
  }

  /** Counts these rows, as they are, as announced from here on. */
  applied(rows: readonly ChangedRow[]): void {
    for (const { id, modifiedAt, isDeleted } of rows) this.note(id, { at: modifiedAt, isDeleted, isListed: true });
  }

  /**
   * Whether events have announced everything that the row shows. `since`: the org's time from which on this process
   * should have heard every creation; undefined while unknown. A look-up keeps the record from being forgotten.
   */
  covers(table: string, row: ChangedRow, since: number | undefined): boolean {
    const heard = this.records.get(row.id);
    const wholeTableAt = this.wholeTableAt(table);
    if (wholeTableAt >= row.modifiedAt) return true;
    if (heard === undefined || heard.at < row.modifiedAt) return false;
    // A row can change and be deleted in one second. An event of a later second describes a change made after the row
    // was read.
    if (heard.at === row.modifiedAt && heard.isDeleted !== row.isDeleted) return false;
    const isNew = since !== undefined && row.createdAt > Math.max(since, wholeTableAt, this.forgottenUpTo);
    return heard.isListed || row.isDeleted || !isNew;
  }

  /** Whether an event of the row may have been heard and forgotten since. */
  mayHaveForgotten(row: ChangedRow): boolean {
    return row.modifiedAt <= this.forgottenUpTo;
  }

  private wholeTableAt(table: string): number {
    return this.tables.get(table) ?? -Infinity;
  }

  private note(id: string, heard: Heard): void {
    const known = this.records.get(id);
    const isListed = heard.isListed || known?.isListed === true;
    // Events repeat after a reconnection: an older one says nothing about the record's present state.
    this.records.set(id, { ...(known !== undefined && known.at > heard.at ? known : heard), isListed });
  }
}

function heardOf({ changeType, commitTimestamp }: ChangeEvent): Heard {
  return {
    at: Math.floor(commitTimestamp / 1_000) * 1_000,
    isDeleted: changeType === 'DELETE' || changeType === 'GAP_DELETE',
    isListed: changeType !== 'UPDATE' && changeType !== 'DELETE',
  };
}
