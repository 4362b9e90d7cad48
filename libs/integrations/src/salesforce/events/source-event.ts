import { z } from 'zod';
import { type SalesforceId, toSalesforceId } from '../salesforce-id.js';

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
] as const;

/** The kind of change of the records; `GAP_*`: a change that the event does not describe. */
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** A change of one or more records of one entity, independent of the transport. */
export interface ChangeEvent {
  readonly kind: 'change';
  readonly topic: string;
  /** Opaque: store it and hand it back; never compare it or compute with it. */
  readonly replayId: string;
  readonly entityName: string;
  /** 18-character ids. Empty where `scope` is `entity`. */
  readonly recordIds: readonly string[];
  /** `entity`: the event stands for any record of the entity (wildcard id, overflow); drop the whole table. */
  readonly scope: 'records' | 'entity';
  readonly changeType: ChangeType;
  /** Names of the fields that an UPDATE changed, compound fields by their own name; undefined where unknown. */
  readonly changedFields: readonly string[] | undefined;
  readonly commitTimestamp: number;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  /**
   * The record's fields that the event carries: all non-empty fields on CREATE and UNDELETE, the changed ones on UPDATE
   * (null: emptied), otherwise none, and always the enriched fields of a channel. Dates are ISO text over CometD,
   * milliseconds over the Pub/Sub API. A large text sent as a difference is omitted. An UPDATE of the Pub/Sub API that
   * does not say what changed has no fields here.
   */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A platform event: a message that the org's own automation published. */
export interface PlatformEvent {
  readonly kind: 'platform';
  readonly topic: string;
  readonly replayId: string;
  /** The non-empty fields. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An event with unreadable content: only the fact that something of this topic changed is known. */
export interface UndecodableEvent {
  readonly kind: 'undecodable';
  readonly topic: string;
  readonly replayId: string | undefined;
  readonly reason: string;
}

export type SourceEvent = ChangeEvent | PlatformEvent | UndecodableEvent;

/**
 * When the event happened, in milliseconds by Salesforce's clock, never later than it got its place in the stream;
 * undefined where unknown. A platform event is stamped when it is published: ISO text over CometD, milliseconds over
 * the Pub/Sub API (Platform Events Developer Guide, "Platform Event Fields": CreatedDate).
 */
export function happenedAt(event: SourceEvent): number | undefined {
  if (event.kind === 'change') return event.commitTimestamp;
  if (event.kind === 'undecodable') return undefined;
  const { CreatedDate: stamp } = event.fields;
  const at = typeof stamp === 'string' ? Date.parse(stamp) : stamp;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

/** The "empty id" that GAP_OVERFLOW carries instead of record ids (Change Data Capture Guide, "Overflow Events"). */
const EMPTY_ID = '000000000000000AAA';

/**
 * The fields read from a `ChangeEventHeader` of any transport. The three lists of fields are names over CometD, and
 * bitmaps over the Pub/Sub API.
 */
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

/** Returns the fields without the empty ones, which only some transports send. */
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
