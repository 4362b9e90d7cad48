import { membership, record, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import type { DomainCache } from '@bff/infra/cache/domain-cache';
import type { ChangeEvent, ChangeType, SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/** One subscriber's interest in one topic. Its consumer invalidates what the subscription names. */
export interface Subscription {
  /**
   * The object or message that the subscription listens for. It is also the name of the feed, and used in health and
   * logs.
   */
  readonly name: string;
  readonly topic: string;
  /** The object whose rows can be queried for changes that no event announced. @default none: a message */
  readonly table?: string;
  /**
   * Fields that decide which lists a row is in; the reconciler compares their values with the announced ones.
   * @default none
   */
  readonly listFields?: readonly string[];
  /**
   * The dependencies that the event makes wrong. Empty: it changed nothing that is shown. Undefined: the event is not
   * for this subscription (another object on a shared channel).
   */
  dependencies(event: SourceEvent): readonly Dependency[] | undefined;
  /** The dependencies that are invalidated when events of this topic may have been lost or could not be read. */
  readonly everything: readonly Dependency[];
  /** The domain that counts the events, and whose `repeatAfterMs` repeats their invalidations. */
  readonly domain: Pick<DomainCache, 'noteInvalidated'>;
}

/**
 * Listens for changes on behalf of a domain cache. A provider of any imported module is registered automatically: the
 * consumer finds every instance in the container, so no list can omit one.
 */
export abstract class ChangeSubscriber {
  abstract readonly subscriptions: readonly Subscription[];
}

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

/** A subscription to the change events of one Salesforce object, by its rules. */
export function entitySubscription(options: {
  readonly topic: string;
  readonly rules: EntityRules;
  /** Dropped on a gap in addition to the whole table. @default none */
  readonly alsoOnGap?: readonly Dependency[];
  /** @default the rules' `filteredFields` */
  readonly listFields?: readonly string[];
  readonly domain: Subscription['domain'];
}): Subscription {
  const { topic, rules, alsoOnGap = [], domain } = options;
  const { listFields = [...(rules.filteredFields ?? [])] } = options;
  const everything = [wholeTable(rules.table), ...alsoOnGap];
  return {
    name: rules.table,
    topic,
    table: rules.table,
    listFields,
    everything,
    domain,
    dependencies(event) {
      if (event.kind === 'undecodable') return everything;
      if (event.kind === 'platform' || event.entityName !== rules.table) return undefined;
      return eventDependencies(event, rules);
    },
  };
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
