import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { LRUCache } from 'lru-cache';
import type { ChangedRow } from './reconciler-rows.js';

/** Records remembered: what changes within an hour in an org that uses up its events of the day; about 25 MB. */
export const RECORDS_MAX = 100_000;

/** The newest that is known of one record. */
interface Heard {
  /** In whole seconds, as rows are stamped. */
  readonly at: number;
  readonly isDeleted: boolean;
  /** Some event has said that the record is there (a creation, an undeletion, a gap), which is what drops the lists it joins. */
  readonly isListed: boolean;
}

/**
 * Remembers which changes have been announced, so that a row which changed without an event can be told from one whose event
 * came: whatever became of the event, one that changed nothing of interest included. Bounded: what is forgotten first was
 * longest neither changed nor asked for.
 *
 * `SystemModstamp` has whole seconds, so a row whose newest event is of the second in which it changed counts as announced.
 * What it cannot tell, because a row shows its last change only: a lost update before (or in the same second as) one that was
 * heard; of those that move a row between lists `AnnouncedValues` can. Lost creations and deletions it can tell, whatever was
 * heard after them.
 */
export class Announced {
  private readonly records: LRUCache<string, Heard>;
  /** Up to when every change of a table was announced by one event that stands for any of its records. */
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

  /** Takes note of events; in any order, and again. Those that name no object, or cannot be read, announce nothing. */
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

  /** From here on these rows count as announced, as they are. */
  applied(rows: readonly ChangedRow[]): void {
    for (const { id, modifiedAt, isDeleted } of rows) this.note(id, { at: modifiedAt, isDeleted, isListed: true });
  }

  /**
   * Whether events have told of all that shows in the row. `since`: the time of the org from which on every creation should
   * have been heard; undefined while nobody knows. Looking at a row keeps it from being forgotten.
   */
  covers(table: string, row: ChangedRow, since: number | undefined): boolean {
    const heard = this.records.get(row.id);
    const wholeTableAt = this.wholeTableAt(table);
    if (wholeTableAt >= row.modifiedAt) return true;
    if (heard === undefined || heard.at < row.modifiedAt) return false;
    // Of one second there may have been two changes. A later event is of what became of the row since it was read.
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
    // Events come again after a reconnection: an older one says nothing of how the record is now.
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
