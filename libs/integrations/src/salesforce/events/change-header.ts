import { z } from 'zod';
import { type SalesforceId, toSalesforceId } from '../salesforce-id.js';
import type { ChangeEvent, ChangeType } from './source-event.js';

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

/** What is read of a `ChangeEventHeader`, whatever transport brought it. The lists of fields have a form for each transport. */
export const CHANGE_HEADER = z.object({
  entityName: z.string().min(1),
  recordIds: z.array(z.string()),
  changeType: z.enum(CHANGE_TYPES),
  changedFields: z.array(z.string()).nullish(),
  nulledFields: z.array(z.string()).nullish(),
  diffFields: z.array(z.string()).nullish(),
  commitTimestamp: z.number(),
  transactionKey: z.string(),
  sequenceNumber: z.number(),
});

export type ChangeHeader = z.infer<typeof CHANGE_HEADER>;

/**
 * The part of a `ChangeEvent` that its header tells. `changedFields` are names, those of compound parts such as
 * `BillingAddress.Street`; undefined or empty tells nothing. Throws for a malformed record id.
 */
export function readHeader(
  header: ChangeHeader,
  changedFields: Iterable<string> | null | undefined,
): Omit<ChangeEvent, 'kind' | 'topic' | 'replayId' | 'fields'> {
  const recordIds = namedRecords(header);
  return {
    entityName: header.entityName,
    recordIds: recordIds ?? [],
    scope: recordIds === undefined ? 'entity' : 'records',
    changeType: header.changeType,
    changedFields: header.changeType === 'UPDATE' ? topLevelNames(changedFields ?? []) : undefined,
    commitTimestamp: header.commitTimestamp,
    transactionKey: header.transactionKey,
    sequenceNumber: header.sequenceNumber,
  };
}

/** The fields that are not empty: whether an empty one is sent at all is a matter of the transport. */
export function filled(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** undefined where the event stands for any record: an overflow, a wildcard such as `001*`, or no id at all. */
function namedRecords({ changeType, recordIds }: ChangeHeader): SalesforceId[] | undefined {
  if (changeType === 'GAP_OVERFLOW' || recordIds.length === 0) return undefined;
  if (recordIds.some((id) => id.endsWith('*') || id === EMPTY_ID)) return undefined;
  return recordIds.map(toSalesforceId);
}

/**
 * Compound fields by their own name: `BillingAddress.Street` is `BillingAddress`. An empty list tells nothing, and must not
 * look like "nothing of interest changed".
 */
function topLevelNames(names: Iterable<string>): readonly string[] | undefined {
  const topLevel = new Set<string>();
  for (const name of names) topLevel.add(name.split('.', 1)[0] as string);
  return topLevel.size === 0 ? undefined : [...topLevel];
}
