/** The kind of change of the records; `GAP_*`: a change that the event does not describe. */
export type ChangeType =
  | 'CREATE'
  | 'UPDATE'
  | 'DELETE'
  | 'UNDELETE'
  | 'GAP_CREATE'
  | 'GAP_UPDATE'
  | 'GAP_DELETE'
  | 'GAP_UNDELETE'
  | 'GAP_OVERFLOW'
  | 'SNAPSHOT';

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
   * (null: emptied), otherwise none except the enriched fields of a channel. Dates are ISO text over CometD,
   * milliseconds over the Pub/Sub API. A large text sent as a difference is omitted.
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
