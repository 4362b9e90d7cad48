import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { LRUCache } from 'lru-cache';
import type { ChangedRow } from './reconciler-rows.js';

/** Whether subscribers were told of the values in a row: `different` are not those that they were told of the last time. */
export type Telling = 'told' | 'unknown' | 'different';

/** The newest that subscribers were told of one field of one record. */
interface Told {
  /** Undefined: they were told that it may be anything. */
  readonly value: string | undefined;
  /** What rows of this time or before show of the field was told, by one event or another. */
  readonly upTo: number;
}

/**
 * Remembers of a table's records the values of the fields that decide which lists they are in, as far as subscribers were told
 * of them: a heard change of another field says nothing of a move whose event was lost. Bounded: what is forgotten is
 * `unknown` again, never wrong.
 *
 * What it cannot tell: a move and the move back that were both lost between two looks at the row.
 */
export class AnnouncedValues {
  /** By record, in the order of `fields`. 100,000 records are 33 MB with one field, 44 MB with three, as measured. */
  private readonly records: LRUCache<string, (Told | undefined)[]>;
  private everythingUpTo = -Infinity;
  private epochs = 0;

  constructor(
    private readonly table: string,
    private readonly fields: readonly string[],
    recordsMax: number,
  ) {
    this.records = new LRUCache({ max: recordsMax });
  }

  /** Another one: everything was forgotten in between. */
  get epoch(): number {
    return this.epochs;
  }

  /** Takes note of events, of this table and others, in any order, and again. */
  heard(events: readonly SourceEvent[]): void {
    if (this.fields.length === 0) return;
    for (const event of events) {
      if (event.kind !== 'change' || event.entityName !== this.table) continue;
      if (event.scope === 'entity' || event.changeType === 'GAP_OVERFLOW' || event.recordIds.length === 0) {
        this.everythingTold(event.commitTimestamp);
      } else {
        for (const id of event.recordIds) this.heardOf(id, event);
      }
    }
  }

  /** Subscribers were told that any record may have changed up to then, so what was known of each is nothing any more. */
  everythingTold(upTo: number): void {
    this.everythingUpTo = Math.max(this.everythingUpTo, upTo);
    this.records.clear();
    this.epochs += 1;
  }

  /** From here on subscribers count as told of what these rows show. */
  applied(rows: readonly ChangedRow[]): void {
    for (const { id, isDeleted, modifiedAt, fields } of rows) {
      if (isDeleted) this.records.delete(id);
      // Another row of the same second may show something else.
      else
        for (const field of this.fields) this.note(id, field, { value: textOf(fields[field]), upTo: modifiedAt - 1 });
    }
  }

  /** Whether subscribers were told of all values that decide which lists the row is in. Looking keeps it from being forgotten. */
  tellingOf(row: ChangedRow): Telling {
    if (row.isDeleted || row.modifiedAt <= this.everythingUpTo) return 'told';
    const known = this.records.get(row.id);
    const tellings = this.fields.map((field, index): Telling => {
      const told = known?.[index];
      if (told !== undefined && told.upTo >= row.modifiedAt) return 'told';
      if (told?.value === undefined) return 'unknown';
      return told.value === textOf(row.fields[field]) ? 'told' : 'different';
    });
    return tellings.find((telling) => telling === 'different') ?? tellings.find((each) => each === 'unknown') ?? 'told';
  }

  private heardOf(id: string, { changeType, changedFields, commitTimestamp, fields }: ChangeEvent): void {
    const upTo = Math.floor(commitTimestamp / 1_000) * 1_000;
    const told = (names: readonly string[], value: (field: string) => string | undefined): void => {
      for (const field of names) this.note(id, field, { value: value(field), upTo });
    };
    switch (changeType) {
      case 'CREATE':
      case 'UNDELETE':
        return told(this.fields, (field) => textOf(fields[field]));
      case 'UPDATE': {
        // What a channel is enriched with is no change, and moves nothing.
        const changed = changedFields?.length ? changedFields : Object.keys(fields);
        if (changed.length === 0) return told(this.fields, () => undefined);
        const decisive = this.fields.filter((field) => changed.includes(field));
        return told(decisive, (field) => (field in fields ? textOf(fields[field]) : undefined));
      }
      case 'DELETE':
      case 'GAP_DELETE':
        return void this.records.delete(id); // if it comes back, lists have to be told
      default:
        return told(this.fields, () => undefined);
    }
  }

  /** Events come again after a reconnection: an older one says nothing of how the record is now. */
  private note(id: string, field: string, told: Told): void {
    const known = this.records.get(id) ?? this.fields.map(() => undefined);
    const index = this.fields.indexOf(field);
    if ((known[index]?.upTo ?? -Infinity) <= told.upTo) known[index] = told;
    this.records.set(id, known);
  }
}

/**
 * The same for the same value, whichever transport or query brought it: ids have 15 or 18 characters, and what is empty may be
 * null, no text, or left out. A checkbox is never empty, so that it is not checked may be said that way too.
 */
function textOf(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return isSalesforceId(value) ? toSalesforceId(value) : value;
  return JSON.stringify(value);
}
