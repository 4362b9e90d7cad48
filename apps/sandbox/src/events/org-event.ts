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
  /** Larger than a JavaScript number holds exactly, as seen in real orgs. */
  readonly commitNumber: bigint;
  readonly commitUser: string;
}

/** A change from which each transport makes its own message; fields have their flat names (`BillingCity`). */
export interface ChangeContent {
  readonly kind: 'change';
  readonly header: ChangeHeader;
  /** The fields that the event carries: those of `changeBody`, with null for an empty one, and the enriched ones. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** The fields that an update has changed, `LastModifiedDate` last; empty for every other change. */
  readonly changed: readonly string[];
  /** The changed fields whose value is a unified diff. */
  readonly diffs: readonly string[];
  /** Fields that are present only because a custom channel adds them. */
  readonly enriched: readonly string[];
}

/** The content of a platform event: its fields, without a header. */
export interface PlatformContent {
  readonly kind: 'platform';
  /** Universally unique, assigned when the event is published. */
  readonly id: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export type EventContent = ChangeContent | PlatformContent;

/** An event that has no place in the log yet. */
export interface UnpublishedEvent {
  /**
   * The one channel that the event is published on: `/data/OrderChangeEvent`, `/event/Account_Eligibility_Update__e`.
   */
  readonly channel: string;
  /** The schema at the time the event was made, without later fields. */
  readonly schema: EventSchema;
  readonly content: EventContent;
  /** How many times every subscriber receives the event; 2 is a duplicate with the same replay id. */
  readonly copies: number;
  /** Whether subscribers cannot read the content. @default false */
  readonly isCorrupt?: boolean;
}

/** A published event with its place in the log. */
export interface OrgEvent extends UnpublishedEvent {
  readonly replayId: number;
  /** Milliseconds since the epoch, by the org's clock. */
  readonly publishedAt: number;
}

/** One message of an event to a subscriber. A custom channel enriches the content and splits merged events. */
export interface EventMessage {
  readonly event: OrgEvent;
  readonly content: EventContent;
}
