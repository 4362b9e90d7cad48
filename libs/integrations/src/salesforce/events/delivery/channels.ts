/**
 * Whether the topic carries changes of several objects: the standard channel of all changes, or a custom channel
 * (Change Data Capture Guide, "Subscription Channels").
 */
export function isChannelOfSeveral(topic: string): boolean {
  return topic === '/data/ChangeEvents' || topic.endsWith('__chn');
}
