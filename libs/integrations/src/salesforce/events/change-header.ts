import { z } from 'zod';
import { type SalesforceId, toSalesforceId } from '../salesforce-id.js';
import type { ChangeEvent, ChangeType } from './source-event.js';

/** The "empty id" that GAP_OVERFLOW carries instead of record ids (Change Data Capture Guide, "Overflow Events"). */
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

/** The fields read from a `ChangeEventHeader` of any transport. The lists of fields differ in form by transport. */
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
 * The part of a `ChangeEvent` that comes from its header. `changedFields` are names, parts of compound fields as
 * `BillingAddress.Street`; undefined or empty means unknown. Throws for a malformed record id.
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

/** The fields that are not empty: transports differ in whether they send empty ones. */
export function filled(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** Undefined if the event stands for any record: an overflow, a wildcard such as `001*`, or no id at all. */
function namedRecords({ changeType, recordIds }: ChangeHeader): SalesforceId[] | undefined {
  if (changeType === 'GAP_OVERFLOW' || recordIds.length === 0) return undefined;
  if (recordIds.some((id) => id.endsWith('*') || id === EMPTY_ID)) return undefined;
  return recordIds.map(toSalesforceId);
}

/**
 * Names with compound fields by their own name: `BillingAddress.Street` becomes `BillingAddress`. Undefined for an
 * empty list: it means unknown, and must not look like "nothing of interest changed".
 */
function topLevelNames(names: Iterable<string>): readonly string[] | undefined {
  const topLevel = new Set<string>();
  for (const name of names) topLevel.add(name.split('.', 1)[0] as string);
  return topLevel.size === 0 ? undefined : [...topLevel];
}
