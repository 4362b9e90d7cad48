import { z } from 'zod';
import type { SalesforceConnection } from '../salesforce-connection.js';
import { toSalesforceError } from '../salesforce.errors.js';
import { withDeadline } from '../deadline.js';
import { backOffMs, pause } from './back-off.js';
import type { ResolvedStreamOptions } from './stream.options.js';
import type { StreamJournal } from './stream-journal.js';
import type { TopicDelivery } from './topic-delivery.js';

/** Objects looked at for one topic: each costs an API request. */
const ENTITIES_MAX = 100;

const DESCRIPTION = z.object({ queryable: z.boolean().optional(), retrieveable: z.boolean().optional() });

/**
 * The object that a channel is named after (Change Data Capture Guide, "Subscription Channels"): `Order` of
 * `/data/OrderChangeEvent`, `Employee__c` of `/data/Employee__ChangeEvent`; undefined for a channel of several.
 */
export function entityOfTopic(topic: string): string | undefined {
  const name = /^\/data\/(\w+)ChangeEvent$/.exec(topic)?.[1];
  return name?.endsWith('__') ? `${name}c` : name;
}

/**
 * Looks whether the integration user can read the objects whose changes a topic's handler awaits, and says so in the log and
 * in `unreadable` if not: on a channel of several objects Salesforce leaves them out without a word. Looks again until all
 * can be read, or `signal` is aborted. It cannot see whether the user may view *all* records; describe does not tell.
 */
export async function watchEntityAccess(
  delivery: TopicDelivery,
  connection: SalesforceConnection,
  options: ResolvedStreamOptions,
  { journal, signal }: { readonly journal: StreamJournal; readonly signal: AbortSignal },
): Promise<void> {
  let open = entitiesOf(delivery);
  let unreadable: string[] = [];
  for (let failures = 0; !signal.aborted && open.length > 0;) {
    const access = await Promise.all(open.map((entity) => accessTo(entity, connection)));
    const found = open.filter((_, i) => access[i] === 'unreadable');
    const mended = unreadable.filter((entity) => access[open.indexOf(entity)] === 'readable');
    const news = found.filter((entity) => !unreadable.includes(entity));
    open = open.filter((_, i) => access[i] !== 'readable');
    unreadable = open.filter((entity) => found.includes(entity) || unreadable.includes(entity));
    if (signal.aborted) return;
    delivery.cannotRead(unreadable);
    if (news.length > 0) journal.unreadable(delivery.topic, news);
    if (mended.length > 0) journal.readable(delivery.topic, mended);
    const isUndecided = access.includes('unknown');
    if (open.length > 0) {
      await pause(isUndecided ? backOffMs(failures++, options.refusedBackOff) : options.accessCheckMs, signal);
    }
  }
}

function entitiesOf({ topic, handler }: TopicDelivery): string[] {
  if (!topic.startsWith('/data/')) return [];
  const named = entityOfTopic(topic);
  const entities = new Set(handler.entities ?? (named === undefined ? [] : [named]));
  return [...entities].filter((entity) => /^\w{1,80}$/.test(entity)).slice(0, ENTITIES_MAX);
}

/** `unknown`: Salesforce could not be asked. */
async function accessTo(
  entity: string,
  connection: SalesforceConnection,
): Promise<'readable' | 'unreadable' | 'unknown'> {
  try {
    const description = await withDeadline(connection.options.requestTimeoutMs, async () =>
      (await connection.signedIn()).requestGet(`/sobjects/${entity}/describe`),
    );
    const { queryable, retrieveable } = DESCRIPTION.parse(description);
    return queryable === false || retrieveable === false ? 'unreadable' : 'readable';
  } catch (error) {
    const { code } = toSalesforceError(error, `describe of ${entity}`);
    return code === 'SALESFORCE_NOT_FOUND' || code === 'SALESFORCE_FORBIDDEN' ? 'unreadable' : 'unknown';
  }
}
