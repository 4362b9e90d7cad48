import type { FieldValue } from '../org/field-definition.js';
import type { ChangeType } from './change-type.js';
import type { EventSchema } from './event-schema.js';

/** The part of a change event's header that is the same on every transport. */
export interface ChangeHeader {
  readonly entityName: string;
  readonly recordIds: readonly string[];
  readonly changeType: ChangeType;
  readonly changeOrigin: string;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  readonly commitTimestamp: number;
  /** Larger than a JavaScript number holds exactly, as it has been seen in orgs. */
  readonly commitNumber: bigint;
  readonly commitUser: string;
}

/** A change in the form from which each transport makes its own message: fields by their flat names (`BillingCity`). */
export interface ChangeContent {
  readonly kind: 'change';
  readonly header: ChangeHeader;
  /** The fields that the event carries: all of a new record, empty ones included; the changed ones of an update; else none. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** The fields that an update has changed, `LastModifiedDate` last; empty for every other change. */
  readonly changed: readonly string[];
  /** Those of them whose value is a unified diff. */
  readonly diffs: readonly string[];
  /** Fields that are here only because a custom channel adds them. */
  readonly enriched: readonly string[];
}

/** A platform event: only its fields. */
export interface PlatformContent {
  readonly kind: 'platform';
  /** Universally unique, given when it is published. */
  readonly id: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export type EventContent = ChangeContent | PlatformContent;

/** An event before the log has given it its place. */
export interface UnpublishedEvent {
  /** The one channel that it is published on: `/data/OrderChangeEvent`, `/event/Account_Eligibility_Update__e`. */
  readonly channel: string;
  /** The schema as it was when the event was made; later fields are not in it. */
  readonly schema: EventSchema;
  readonly content: EventContent;
  /** How often every subscriber gets it: 2 is a duplicate with the same replay id. */
  readonly copies: number;
  /** Whether its content cannot be read by who gets it. @default false */
  readonly isCorrupt?: boolean;
}

/** An event of the log. */
export interface OrgEvent extends UnpublishedEvent {
  readonly replayId: number;
  /** Milliseconds since the epoch, by the org's clock. */
  readonly publishedAt: number;
}

/** What one subscriber is given of an event: a custom channel enriches the content and takes merged events apart. */
export interface EventMessage {
  readonly event: OrgEvent;
  readonly content: EventContent;
}
