/** What happened to the records of a change event; `GAP_*`: something happened that the event does not describe. */
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

/** A change of one or more records of one entity, whatever transport brought it. */
export interface ChangeEvent {
  readonly kind: 'change';
  readonly topic: string;
  /** Opaque: stored and handed back, never compared or computed with. */
  readonly replayId: string;
  readonly entityName: string;
  /** 18-character ids. Empty where `scope` is `entity`. */
  readonly recordIds: readonly string[];
  /** `entity`: the event stands for any record of the entity (wildcard id, overflow); the whole table must go. */
  readonly scope: 'records' | 'entity';
  readonly changeType: ChangeType;
  /** Names of the fields an UPDATE changed, compound ones by their own name; undefined where the event does not tell. */
  readonly changedFields: readonly string[] | undefined;
  readonly commitTimestamp: number;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  /**
   * The record's fields as the event carries them: all that are not empty on CREATE and UNDELETE, the changed ones on UPDATE
   * (null: emptied), else none, but for those that a channel is enriched with. Dates are ISO text over CometD and
   * milliseconds over the Pub/Sub API. A large text whose difference is sent is left out.
   */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A platform event: a message that the org's own automation published. */
export interface PlatformEvent {
  readonly kind: 'platform';
  readonly topic: string;
  readonly replayId: string;
  /** Those that are not empty. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An event whose content could not be read: only that something of this topic changed is known. */
export interface UndecodableEvent {
  readonly kind: 'undecodable';
  readonly topic: string;
  readonly replayId: string | undefined;
  readonly reason: string;
}

export type SourceEvent = ChangeEvent | PlatformEvent | UndecodableEvent;

/**
 * When the event happened, in milliseconds by Salesforce's clock and never after it was given its place in the stream; undefined
 * where it does not tell. A platform event is stamped when it is published: ISO text over CometD, milliseconds over the
 * Pub/Sub API (Platform Events Developer Guide, "Platform Event Fields": CreatedDate).
 */
export function happenedAt(event: SourceEvent): number | undefined {
  if (event.kind === 'change') return event.commitTimestamp;
  if (event.kind === 'undecodable') return undefined;
  const { CreatedDate: stamp } = event.fields;
  const at = typeof stamp === 'string' ? Date.parse(stamp) : stamp;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}
