import { ChangeEvents } from '../events/change-events.js';
import type { Schema } from '../org/schema.js';

/** The channel on which the changes of every selected object arrive. */
const ALL_CHANGES = '/data/ChangeEvents';

/** Whether the org has this channel. Names are case-sensitive (Change Data Capture guide, "Subscription Channels"). */
export function isChannel(schema: Schema, channel: string): boolean {
  if (channel === ALL_CHANGES) return true;
  return schema.objects().some((object) => {
    if (object.traits.isEvent === true) return channel === `/event/${object.name}`;
    return object.traits.capturesChanges === true && channel === ChangeEvents.channel(object);
  });
}

/** Whether a subscriber of `subscription` gets what was published on `channel`. */
export function isDelivered(subscription: string, channel: string): boolean {
  return subscription === channel || (subscription === ALL_CHANGES && channel.startsWith('/data/'));
}
