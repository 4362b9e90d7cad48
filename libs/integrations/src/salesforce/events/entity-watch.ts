import type { SalesforceConnection } from '../salesforce-connection.js';
import { backOffMs, pause } from './back-off.js';
import { accessToEntities, type EntityAccess } from './entity-access.js';
import type { ResolvedStreamOptions } from './stream.options.js';
import type { StreamJournal } from './stream-journal.js';
import type { TopicDelivery } from './topic-delivery.js';

/** Objects looked at, of all topics together: each may cost an API request every time. */
const ENTITIES_MAX = 100;

/** What a watch is made of. */
export interface EntityWatchParts {
  readonly connection: SalesforceConnection;
  readonly options: ResolvedStreamOptions;
  readonly journal: StreamJournal;
  readonly stopping: AbortSignal;
  /** Makes the topic be subscribed anew, after its position. */
  readonly resubscribe: (topic: string) => void;
}

/**
 * Looks, at the start and every `accessCheckMs` until stopped, whether the integration user may read the objects that the
 * handlers of change events await. A permission taken away is silence, on whichever channel ("they stop receiving the
 * corresponding change events", Change Data Capture Guide, "Required Permissions for Change Event Subscribers"). Says so in
 * the log and in `unreadable`. Never rejects.
 *
 * Who may read an object again has missed what happened meanwhile: the topic is subscribed anew, with a gap. That is done
 * when he was found to be allowed twice in a row, because Salesforce takes up to ten minutes to act on it.
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

/** What has changed of one topic since the round before. */
function compare(
  delivery: TopicDelivery,
  before: ReadonlyMap<string, EntityAccess>,
  access: ReadonlyMap<string, EntityAccess>,
  { journal, resubscribe }: EntityWatchParts,
): void {
  const { topic, handler, unreadable } = delivery;
  const isNew = (entity: string): boolean => access.get(entity) === 'missing' && !unreadable.includes(entity);
  const lost = [...new Set(handler.entities)].filter(isNew);
  if (lost.length > 0) {
    journal.unreadable(topic, lost);
    delivery.cannotRead([...unreadable, ...lost]);
    return;
  }
  const isBack = (entity: string): boolean => access.get(entity) === 'granted' && before.get(entity) === 'granted';
  const back = unreadable.filter(isBack);
  // Said already; the topic is on its way, which may take longer than a round.
  if (back.every((entity) => delivery.returning.includes(entity))) return;
  journal.readable(topic, back);
  delivery.canReadAllBut(unreadable.filter((entity) => !isBack(entity)));
  resubscribe(topic);
}
