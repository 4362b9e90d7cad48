import type { FieldValue } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import type { ChangeContent, EventContent, EventMessage, OrgEvent } from './org-event.js';

/** A channel that clients can subscribe to. Its name is case-sensitive (guide, "Subscription Channels"). */
export interface Channel {
  readonly name: string;
  /** The object of a channel for one object; undefined for a channel of several. */
  readonly object: ObjectDefinition | undefined;
  /**
   * False if the user lacks "View All Records" on the one object. A channel of several objects always allows
   * subscriptions and is silent about objects that the user may not see. An open subscription falls silent when the
   * permission is taken away.
   */
  canSubscribe(): boolean;
  /** The messages that a subscriber receives for this event: none, one, or several that share its replay id. */
  messages(event: OrgEvent): readonly EventMessage[];
}

/** One object on a channel of several. */
export interface ChannelMember {
  readonly object: ObjectDefinition;
  /**
   * Fields that updates and deletions carry besides the changed ones, with their values at the time of the delivery.
   */
  readonly enrichedFields: readonly string[];
}

/** Whether the integration user may see all records of an object. */
export type CanViewAll = (objectName: string) => boolean;

/**
 * The channel of one object's events. Without the right to view all records of the object it refuses subscriptions and
 * is silent; platform events need no such right.
 */
export function channelOfOne(name: string, object: ObjectDefinition, canViewAll: CanViewAll): Channel {
  return {
    name,
    object,
    canSubscribe: () => object.traits.isEvent === true || canViewAll(object.name),
    messages: (event) => {
      const isSeen = object.traits.isEvent === true || canViewAll(object.name);
      return event.channel === name && isSeen ? messagesOf(event, [event.content]) : [];
    },
  };
}

/**
 * A channel of the objects for which `member` returns a value; it is silent about objects that the user may not see.
 */
export function channelOfSeveral(
  name: string,
  org: OrgState,
  canViewAll: CanViewAll,
  member: (object: ObjectDefinition) => ChannelMember | undefined,
): Channel {
  return {
    name,
    object: undefined,
    canSubscribe: () => true,
    messages: (event) => {
      const { content } = event;
      if (content.kind !== 'change' || !canViewAll(content.header.entityName)) return [];
      const object = org.schema.object(content.header.entityName);
      const found = object === undefined ? undefined : member(object);
      return found === undefined ? [] : messagesOf(event, enriched(org, found, content));
    },
  };
}

/**
 * Adds the member's enriched fields to updates and deletions, with their current values. This splits a merged event:
 * one message per record, all with its replay id (Change Data Capture guide, "Event Enrichment"). Other events, those
 * with a wildcard id, and all events of a member without enriched fields stay as they are.
 */
function enriched(org: OrgState, { object, enrichedFields }: ChannelMember, content: ChangeContent): ChangeContent[] {
  const { changeType, recordIds } = content.header;
  const hasValues = (changeType === 'UPDATE' || changeType === 'DELETE') && recordIds.every((id) => !id.endsWith('*'));
  if (!hasValues || enrichedFields.length === 0) return [content];
  const added = enrichedFields.filter((name) => !(name in content.fields));
  return recordIds.map((id) => {
    const record = org.table(object).get(id);
    const values: Record<string, FieldValue> = {};
    for (const name of added) values[name] = record?.[name] ?? null;
    const header = { ...content.header, recordIds: [id] };
    return { ...content, header, fields: { ...content.fields, ...values }, enriched: added };
  });
}

function messagesOf(event: OrgEvent, contents: readonly EventContent[]): EventMessage[] {
  const once = contents.map((content) => ({ event, content }));
  return Array.from({ length: event.copies }, () => once).flat();
}
