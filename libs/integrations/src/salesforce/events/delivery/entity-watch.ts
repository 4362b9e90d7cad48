import type { SalesforceConnection } from '../../connection/salesforce-connection.js';
import { backOffMs, pause } from '../back-off.js';
import { accessToEntities, type EntityAccess } from './entity-access.js';
import type { ResolvedStreamOptions } from '../stream.options.js';
import type { StreamJournal } from './stream-journal.js';
import type { TopicDelivery } from './topic-delivery.js';

/** Maximum number of objects checked over all topics: each may cost an API request per round. */
const ENTITIES_MAX = 100;

/** Dependencies of one watch. */
export interface EntityWatchParts {
  readonly connection: SalesforceConnection;
  readonly options: ResolvedStreamOptions;
  readonly journal: StreamJournal;
  readonly stopping: AbortSignal;
  /** Makes the source subscribe the topic again, after its committed position. */
  readonly resubscribe: (topic: string) => void;
}

/**
 * Checks at the start, and every `accessCheckMs` until stopped (sooner while a question to Salesforce fails), whether
 * the integration user may read the objects that handlers of change events await. On every channel, a revoked
 * permission causes silence only ("they stop receiving the corresponding change events", Change Data Capture Guide,
 * "Required Permissions for Change Event Subscribers"). Reports missing access in the log and in `unreadable`. Never
 * rejects.
 *
 * A user who regains access has missed events: the topic is resubscribed with a gap. That happens once two checks in a
 * row find access granted, because Salesforce takes up to ten minutes to apply it.
 */
export async function watchEntities(deliveries: readonly TopicDelivery[], parts: EntityWatchParts): Promise<void> {
  const { connection, options, stopping } = parts;
  const watched = deliveries.filter(({ topic }) => topic.startsWith('/data/'));
  const awaited = new Set(watched.flatMap(({ handler }) => handler.entities ?? []));
  const entities = [...awaited].filter((name) => /^\w{1,80}$/.test(name)).slice(0, ENTITIES_MAX);
  if (entities.length === 0) return;
  let before: ReadonlyMap<string, EntityAccess> = new Map();
  for (let failures = 0; !stopping.aborted;) {
    const access = await accessToEntities(entities, connection);
    if (stopping.aborted) return;
    for (const delivery of watched) compare(delivery, before, access, parts);
    before = access;
    const isUndecided = [...access.values()].includes('unknown');
    failures = isUndecided ? failures + 1 : 0;
    const { accessCheckMs, refusedBackOff } = options;
    await pause(
      isUndecided ? Math.min(accessCheckMs, backOffMs(failures - 1, refusedBackOff)) : accessCheckMs,
      stopping,
    );
  }
}

/**
 * Reports which awaited objects of a topic became unreadable in this round. If none did, it resubscribes the topic for
 * the objects that two rounds in a row found readable again.
 */
function compare(
  delivery: TopicDelivery,
  before: ReadonlyMap<string, EntityAccess>,
  access: ReadonlyMap<string, EntityAccess>,
  { journal, resubscribe }: EntityWatchParts,
): void {
  const { topic, handler } = delivery;
  const unreadable = delivery.unreadable.all;
  const isNew = (entity: string): boolean => access.get(entity) === 'missing' && !unreadable.includes(entity);
  const lost = [...new Set(handler.entities)].filter(isNew);
  if (lost.length > 0) {
    journal.unreadable(topic, lost);
    delivery.unreadable.set([...unreadable, ...lost]);
    return;
  }
  const isBack = (entity: string): boolean => access.get(entity) === 'granted' && before.get(entity) === 'granted';
  const back = unreadable.filter(isBack);
  // Nothing is readable again that has not been reported. A resubscription under way may take longer than a round.
  if (back.every((entity) => delivery.unreadable.returning.includes(entity))) return;
  journal.readable(topic, back);
  delivery.unreadable.keepOnly(unreadable.filter((entity) => !isBack(entity)));
  resubscribe(topic);
}
