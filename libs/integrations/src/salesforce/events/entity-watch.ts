import type { SalesforceConnection } from '../salesforce-connection.js';
import { backOffMs, pause } from './back-off.js';
import { isChannelOfSeveral } from './channels.js';
import { accessToEntities } from './entity-access.js';
import type { ResolvedStreamOptions } from './stream.options.js';
import type { StreamJournal } from './stream-journal.js';
import type { TopicDelivery } from './topic-delivery.js';

/** Objects looked at for one topic: each costs an API request. */
const ENTITIES_MAX = 100;

/**
 * Looks whether the integration user may read the objects that a topic's handler awaits, where Salesforce would leave them
 * out without a word: on channels of several objects. Says in the log and in `unreadable` if not, and looks again until he
 * may. A channel of one object refuses the subscription instead.
 */
export async function watchEntities(
  delivery: TopicDelivery,
  connection: SalesforceConnection,
  options: ResolvedStreamOptions,
  { journal, signal }: { readonly journal: StreamJournal; readonly signal: AbortSignal },
): Promise<void> {
  const { topic, handler } = delivery;
  if (!isChannelOfSeveral(topic)) return;
  let open = [...new Set(handler.entities)].filter((name) => /^\w{1,80}$/.test(name)).slice(0, ENTITIES_MAX);
  let missing: readonly string[] = [];
  for (let failures = 0; !signal.aborted && open.length > 0;) {
    const access = await accessToEntities(open, connection);
    if (signal.aborted) return;
    open = open.filter((entity) => access.get(entity) !== 'granted');
    const now = open.filter((entity) => access.get(entity) === 'missing' || missing.includes(entity));
    journal.unreadable(
      topic,
      now.filter((entity) => !missing.includes(entity)),
    );
    journal.readable(
      topic,
      missing.filter((entity) => !now.includes(entity)),
    );
    missing = now;
    delivery.cannotRead(missing);
    const isUndecided = [...access.values()].includes('unknown');
    const waitMs = isUndecided ? backOffMs(failures++, options.refusedBackOff) : options.accessCheckMs;
    if (open.length > 0) await pause(waitMs, signal);
  }
}
