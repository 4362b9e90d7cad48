import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { LRUCache } from 'lru-cache';
import type { ChangedRow } from '../reconciler/reconciler-rows.js';

/**
 * Whether a row's values were announced to subscribers; `different`: one differs from the last announced one;
 * `unknown`: none differs, and of one it is not known what was announced.
 */
export type Telling = 'told' | 'unknown' | 'different';

/** The newest announcement of one field of one record. */
interface Told {
  /** Undefined: the announcement said that the value may be anything. */
  readonly value: string | undefined;
  /** A row that was stamped at this time or earlier shows no value of the field that was not announced. */
  readonly upTo: number;
}

/**
 * Remembers, for a table's records, the announced values of the fields that decide which lists a record is in. An event
 * about another field says nothing about a move whose event was lost. Bounded: a forgotten record is `unknown` again,
 * never wrong.
 *
 * Not detected: a move and the move back that were both lost between two looks at the row.
 */
export class AnnouncedValues {
  /**
   * What was announced of each record, in the order of `fields`. For 100,000 records this takes 33 MB with one field
   * and 44 MB with three (measured).
   */
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

  /** Changes whenever everything was forgotten. */
  get epoch(): number {
    return this.epochs;
  }

  /**
   * Records events of this table; ignores those of other tables. An older event that comes again changes nothing,
   * except after a deletion, which forgets the record.
   */
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

  /** An event announced that any record may have changed up to `upTo`: discards what was known of each record. */
  everythingTold(upTo: number): void {
    this.everythingUpTo = Math.max(this.everythingUpTo, upTo);
    this.records.clear();
    this.epochs += 1;
  }

  /** Counts the values in these rows as announced from here on. A deleted row is forgotten. */
  applied(rows: readonly ChangedRow[]): void {
    for (const { id, isDeleted, modifiedAt, fields } of rows) {
      if (isDeleted) this.records.delete(id);
      // The row may change again in the same second, hence `- 1`.
      else
        for (const field of this.fields) this.note(id, field, { value: textOf(fields[field]), upTo: modifiedAt - 1 });
    }
  }

  /** Whether all values that decide the row's lists were announced. A look-up keeps the record from being forgotten. */
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
        // Fields that enrich a channel are not changes and move nothing.
        const changed = changedFields?.length ? changedFields : Object.keys(fields);
        if (changed.length === 0) return told(this.fields, () => undefined);
        const decisive = this.fields.filter((field) => changed.includes(field));
        return told(decisive, (field) => (field in fields ? textOf(fields[field]) : undefined));
      }
      case 'DELETE':
      case 'GAP_DELETE':
        return void this.records.delete(id); // if the record comes back, its lists must be invalidated
      default:
        return told(this.fields, () => undefined);
    }
  }

  /**
   * Keeps the newest announcement: events repeat after a reconnection, and an older one says nothing about the record's
   * present state.
   */
  private note(id: string, field: string, told: Told): void {
    const known = this.records.get(id) ?? this.fields.map(() => undefined);
    const index = this.fields.indexOf(field);
    if ((known[index]?.upTo ?? -Infinity) <= told.upTo) known[index] = told;
    this.records.set(id, known);
  }
}

/**
 * Equal for equal values, whichever transport or query delivered them: an id has 15 or 18 characters, and an empty
 * value may be null, an empty string, or absent. A checkbox is never empty, so `false` may count as empty too.
 */
function textOf(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return isSalesforceId(value) ? toSalesforceId(value) : value;
  return JSON.stringify(value);
}
