/**
 * Whether the topic brings changes of several objects (Change Data Capture Guide, "Subscription Channels"): the standard
 * channel of all changes, or a custom one.
 */
export function isChannelOfSeveral(topic: string): boolean {
  return topic === '/data/ChangeEvents' || topic.endsWith('__chn');
}
