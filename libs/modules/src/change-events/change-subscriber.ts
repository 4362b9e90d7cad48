import { wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import type { DomainCache } from '@bff/infra/cache/domain-cache';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { eventDependencies, type EntityRules } from './event-dependencies.js';

/** One subscriber's interest in one topic. Its consumer invalidates what the subscription names. */
export interface Subscription {
  /** The object or message that the subscription listens for; used in health and logs. */
  readonly name: string;
  readonly topic: string;
  /** The object whose rows can be queried for changes that no event announced. @default none: a message */
  readonly table?: string;
  /** Fields that decide which lists a row is in, in addition to the entries that show the row. @default none */
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
