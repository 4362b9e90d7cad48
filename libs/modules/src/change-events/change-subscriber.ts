import type { Invalidation } from '@bff/infra/cache/cache.types';
import { wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { eventDependencies, type EntityRules } from './event-dependencies.js';

/** What one subscriber wants to hear of one topic, and what it does with it. */
export interface Subscription {
  /** For health and logs: the object or message that is listened for. */
  readonly name: string;
  readonly topic: string;
  /** The object whose rows can be asked for, to find changes that no event announced. @default none: a message */
  readonly table?: string;
  /** Fields of the table that decide which entries a row is in, beyond those that show it. @default none */
  readonly listFields?: readonly string[];
  /**
   * What the event has made wrong. Empty: it changed nothing that is shown. Undefined: the event is not for this
   * subscription (another object on a shared channel).
   */
  dependencies(event: SourceEvent): readonly Dependency[] | undefined;
  /** What can no longer be vouched for when events of this topic may have been lost or could not be read. */
  readonly everything: readonly Dependency[];
  /**
   * Resolves when acknowledged; counts as so many invalidations of the subscriber's domain as there are events: none when it
   * is tried again. What a domain does for an invalidation (`repeatAfterMs`) it does for that one as well.
   */
  readonly invalidate: (dependencies: readonly Dependency[], events: number) => Promise<Invalidation>;
}

/**
 * Listens for changes on behalf of a domain cache. Being a provider of any imported module is what registers it: the
 * consumer finds every instance in the container, so there is no list to forget it in.
 */
export abstract class ChangeSubscriber {
  abstract readonly subscriptions: readonly Subscription[];
}

/** The change events of one Salesforce object, by its rules. */
export function entitySubscription(options: {
  readonly topic: string;
  readonly rules: EntityRules;
  /** Beside the whole table, which a gap always drops. @default none */
  readonly alsoOnGap?: readonly Dependency[];
  /** @default the rules' `filteredFields` */
  readonly listFields?: readonly string[];
  readonly invalidate: Subscription['invalidate'];
}): Subscription {
  const { topic, rules, alsoOnGap = [], invalidate } = options;
  const { listFields = [...(rules.filteredFields ?? [])] } = options;
  const everything = [wholeTable(rules.table), ...alsoOnGap];
  return {
    name: rules.table,
    topic,
    table: rules.table,
    listFields,
    everything,
    invalidate,
    dependencies(event) {
      if (event.kind === 'undecodable') return everything;
      if (event.kind === 'platform' || event.entityName !== rules.table) return undefined;
      return eventDependencies(event, rules);
    },
  };
}
