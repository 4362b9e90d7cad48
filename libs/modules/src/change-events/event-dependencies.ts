import { membership, record, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import type { ChangeEvent, ChangeType } from '@bff/integrations/salesforce/events/source-event';

type Fields = Readonly<Record<string, unknown>>;

/** A domain's knowledge about the changes of one Salesforce object. */
export interface EntityRules {
  /** The object's API name; the table of its dependencies. */
  readonly table: string;
  /**
   * Fields that no entry shows, filters or sorts by. An UPDATE of these alone changes no entry. It is a deny list on
   * purpose: an unlisted field invalidates.
   * @default none beyond `SYSTEM_FIELDS`
   */
  readonly internalFields?: ReadonlySet<string>;
  /** Fields that decide which lists a row is in. An UPDATE of one of them moves the row in or out. @default none */
  readonly filteredFields?: ReadonlySet<string>;
  /**
   * The entries that a row with these fields belongs to, narrower than "all lists of the table". Undefined if the
   * fields do not determine them; then a row that appears or moves invalidates the table's membership.
   * @default undefined
   */
  readonly parents?: (fields: Fields, changeType: ChangeType) => readonly Dependency[] | undefined;
}

/** Salesforce writes these with every change, so they say nothing about what changed. */
export const SYSTEM_FIELDS: ReadonlySet<string> = new Set(['LastModifiedDate', 'LastModifiedById', 'SystemModstamp']);

/**
 * Guarantees the dependencies of every entry that the change can have made wrong; empty only for an UPDATE of internal
 * fields alone. Missing information counts as the worst case: unknown fields, unknown parents and unknown records
 * invalidate more, never less (gap and overflow events: Change Data Capture Developer Guide, "Gap and Overflow
 * Events").
 */
export function eventDependencies(event: ChangeEvent, rules: EntityRules): readonly Dependency[] {
  const { table } = rules;
  if (event.scope === 'entity' || event.changeType === 'GAP_OVERFLOW' || event.recordIds.length === 0) {
    return [wholeTable(table)];
  }
  const records = event.recordIds.map((id) => record(table, id));
  const parents = rules.parents?.(event.fields, event.changeType);
  switch (event.changeType) {
    case 'CREATE':
    case 'UNDELETE':
      return [...records, ...(parents ?? [membership(table)])];
    case 'UPDATE':
      if (isInternalOnly(event, rules)) return [];
      return [...records, ...(parents ?? (isMoved(event, rules) ? [membership(table)] : []))];
    case 'DELETE':
      return [...records, ...(parents ?? [])];
    default:
      return [...records, membership(table)];
  }
}

/** An empty or absent list of changed fields proves nothing, so it does not count as "internal only". */
function isInternalOnly({ changedFields }: ChangeEvent, { internalFields }: EntityRules): boolean {
  if (changedFields === undefined || changedFields.length === 0) return false;
  return changedFields.every((field) => SYSTEM_FIELDS.has(field) || internalFields?.has(field) === true);
}

/** Without a list of changed fields the event's own fields serve as one: an UPDATE carries the changed ones. */
function isMoved({ changedFields, fields }: ChangeEvent, { filteredFields }: EntityRules): boolean {
  if (!filteredFields) return false;
  const changed = changedFields?.length ? changedFields : Object.keys(fields);
  return changed.length === 0 || changed.some((field) => filteredFields.has(field));
}
