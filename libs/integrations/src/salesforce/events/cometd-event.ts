import { z } from 'zod';
import { type SalesforceId, toSalesforceId } from '../salesforce-id.js';
import type { ChangeEvent, ChangeType, SourceEvent } from './source-event.js';

/** "An empty id": what GAP_OVERFLOW carries instead of record ids (Change Data Capture Guide, "Overflow Events"). */
const EMPTY_ID = '000000000000000AAA';

const CHANGE_TYPES = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'GAP_OVERFLOW',
  'SNAPSHOT',
] as const satisfies readonly ChangeType[];

const REPLAY = z.object({ event: z.object({ replayId: z.union([z.number(), z.string().min(1)]) }) });
const PLATFORM = z.object({ payload: z.record(z.string(), z.unknown()) });
const CHANGE = z.object({
  payload: z.looseObject({
    ChangeEventHeader: z.object({
      entityName: z.string().min(1),
      recordIds: z.array(z.string()),
      changeType: z.enum(CHANGE_TYPES),
      changedFields: z.array(z.string()).nullish(),
      commitTimestamp: z.number(),
      transactionKey: z.string(),
      sequenceNumber: z.number(),
    }),
  }),
});

/**
 * The `SourceEvent` of one CometD message. Never throws: what cannot be read is an `undecodable` event, because the reader
 * of a stream must neither stop at it nor skip it.
 */
export function eventOfCometd(topic: string, data: unknown): SourceEvent {
  const replay = REPLAY.safeParse(data);
  const replayId = replay.success ? String(replay.data.event.replayId) : undefined;
  const undecodable = (reason: string): SourceEvent => ({ kind: 'undecodable', topic, replayId, reason });
  if (replayId === undefined) return undecodable('the message has no replay id');

  if (topic.startsWith('/event/')) {
    const platform = PLATFORM.safeParse(data);
    if (!platform.success) return undecodable(z.prettifyError(platform.error));
    return { kind: 'platform', topic, replayId, fields: platform.data.payload };
  }

  const change = CHANGE.safeParse(data);
  if (!change.success) return undecodable(z.prettifyError(change.error));
  const { ChangeEventHeader: header, ...fields } = change.data.payload;
  try {
    return { kind: 'change', topic, replayId, ...readHeader(header), fields };
  } catch (error) {
    return undecodable(error instanceof Error ? error.message : String(error));
  }
}

type Header = z.infer<typeof CHANGE>['payload']['ChangeEventHeader'];

function readHeader(header: Header): Omit<ChangeEvent, 'kind' | 'topic' | 'replayId' | 'fields'> {
  const recordIds = namedRecords(header);
  return {
    entityName: header.entityName,
    recordIds: recordIds ?? [],
    scope: recordIds === undefined ? 'entity' : 'records',
    changeType: header.changeType,
    changedFields: header.changeType === 'UPDATE' ? fieldNames(header.changedFields) : undefined,
    commitTimestamp: header.commitTimestamp,
    transactionKey: header.transactionKey,
    sequenceNumber: header.sequenceNumber,
  };
}

/** undefined where the event stands for any record: an overflow, a wildcard such as `001*`, or no id at all. */
function namedRecords({ changeType, recordIds }: Header): SalesforceId[] | undefined {
  if (changeType === 'GAP_OVERFLOW' || recordIds.length === 0) return undefined;
  if (recordIds.some((id) => id.endsWith('*') || id === EMPTY_ID)) return undefined;
  return recordIds.map(toSalesforceId);
}

/**
 * Compound fields by their own name: `BillingAddress.Street` is `BillingAddress`. An empty list tells nothing, and must not
 * look like "nothing of interest changed".
 */
function fieldNames(names: readonly string[] | null | undefined): readonly string[] | undefined {
  if (names === undefined || names === null || names.length === 0) return undefined;
  return [...new Set(names.map((name) => name.split('.', 1)[0] as string))];
}
