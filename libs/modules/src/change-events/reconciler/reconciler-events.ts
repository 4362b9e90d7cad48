import type { ChangeEvent, ChangeType } from '@bff/integrations/salesforce/events/source-event';
import type { ChangedRow } from './reconciler-rows.js';

/** Where the made-up events claim to come from. */
interface Origin {
  readonly table: string;
  readonly topic: string;
}

/** Marks an event that Salesforce has not sent. It is no position and is never saved as one. */
const MAKER = 'reconciler';

/** Maximum number of ids in an event: its invalidation is one call to the store, which handles several hundred well. */
const IDS_MAX = 500;

/**
 * Gap events in place of events that never came. The change is unknown beyond whether the rows exist, so the
 * subscribers' own rules drop the records and the table's membership. Equal rows make equal events, so a receiver of
 * both can recognise them.
 */
export function gapEvents(rows: readonly ChangedRow[], origin: Origin): ChangeEvent[] {
  const deleted = rows.filter(({ isDeleted }) => isDeleted);
  const present = rows.filter(({ isDeleted }) => !isDeleted);
  return [...eventsOf('GAP_DELETE', deleted, origin), ...eventsOf('GAP_UPDATE', present, origin)];
}

/**
 * Updates of exactly these fields to the rows' values, in place of events that may never have come: subscribers drop
 * the records and the lists that they have joined. Rows with equal values share one event.
 */
export function moveEvents(rows: readonly ChangedRow[], listFields: readonly string[], origin: Origin): ChangeEvent[] {
  const alike = new Map<string, ChangedRow[]>();
  for (const row of rows) {
    const values = JSON.stringify(listFields.map((field) => row.fields[field]));
    alike.set(values, [...(alike.get(values) ?? []), row]);
  }
  return [...alike.values()].flatMap((group) =>
    eventsOf('UPDATE', group, origin).map((event) => ({
      ...event,
      replayId: `${event.replayId} in lists`,
      changedFields: listFields,
      fields: group[0]?.fields ?? {},
    })),
  );
}

/** An event that stands for any change of the table up to `upTo`. */
export function overflowEvent(upTo: number, origin: Origin): ChangeEvent {
  return { ...blank(origin), replayId: MAKER, scope: 'entity', changeType: 'GAP_OVERFLOW', commitTimestamp: upTo };
}

function eventsOf(changeType: ChangeType, rows: readonly ChangedRow[], origin: Origin): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (let start = 0; start < rows.length; start += IDS_MAX) {
    const part = rows.slice(start, start + IDS_MAX);
    const recordIds = part.map(({ id }) => id);
    events.push({
      ...blank(origin),
      replayId: `${MAKER} ${recordIds[0]} ${recordIds.at(-1)} ${recordIds.length}`,
      recordIds,
      changeType,
      commitTimestamp: Math.max(...part.map(({ modifiedAt }) => modifiedAt)),
    });
  }
  return events;
}

function blank({ table, topic }: Origin): Omit<ChangeEvent, 'replayId' | 'changeType' | 'commitTimestamp'> {
  return {
    kind: 'change',
    topic,
    entityName: table,
    recordIds: [],
    scope: 'records',
    changedFields: undefined,
    transactionKey: MAKER,
    sequenceNumber: 0,
    fields: {},
  };
}
