import type { TopicHealth, TopicState } from '@bff/integrations/salesforce/events/change-event-source';
import type { TopicCounters } from './topic-consumer.js';

/** The topic of the process board under which consumers report. */
export const CONSUMER_TOPIC = 'sf-events';

/** One topic as one process sees it. */
export type TopicReport = TopicHealth & TopicCounters & { readonly subscriptions: readonly string[] };

/** A topic that no live process has subscribed to. */
export interface AbsentTopic {
  readonly topic: string;
  readonly state: 'absent';
}

/** What one process says of the change events it consumes. */
export interface ConsumerReport {
  readonly transport: string;
  readonly topics: readonly TopicReport[];
}

/**
 * `up` every topic is live · `degraded` some topic is not · `down` nobody hears anything · `disabled` switched off by
 * configuration. Entries are kept as if fresh in all four; only `up` means that they are.
 */
export type EventsStatus = 'up' | 'degraded' | 'down' | 'disabled';

/** What `GET /health/sf-events` answers. */
export interface EventsHealth {
  readonly status: EventsStatus;
  /** In words, unless `up`. */
  readonly reason?: string;
  readonly transport?: string;
  readonly consumers: number;
  readonly topics: readonly (TopicReport | AbsentTopic)[];
}

/** The best first: a topic is as well as the best of its consumers. */
const BEST_FIRST: readonly TopicState[] = ['live', 'connecting', 'lost', 'stopped'];

/**
 * Guarantees `up` only when each expected topic has a subscriber and a live subscription in some process. A topic that is
 * configured but that no subscriber asked for is `absent`, so a subscriber that was never registered shows.
 */
export function eventsHealth(expected: readonly string[], reports: readonly ConsumerReport[]): EventsHealth {
  const topics = [
    ...new Set([...expected, ...reports.flatMap((report) => report.topics.map(({ topic }) => topic))]),
  ].map((topic): TopicReport | AbsentTopic => bestOf(topic, reports) ?? { topic, state: 'absent' });
  const transport = reports[0]?.transport;
  const common = { ...(transport !== undefined && { transport }), consumers: reports.length, topics };
  if (reports.length === 0) {
    return {
      status: 'down',
      reason: 'no process consumes change events; start a worker (npm run start:worker)',
      ...common,
    };
  }
  const broken = topics.filter(({ state }) => state !== 'live');
  if (broken.length === 0) return { status: 'up', ...common };
  return {
    status: broken.length === topics.length ? 'down' : 'degraded',
    reason: broken.map(trouble).join('; '),
    ...common,
  };
}

/** What is answered when events are switched off. */
export function eventsDisabled(): EventsHealth {
  const reason = 'change events are switched off (SF_EVENTS_ENABLED=false), so nothing tells the cache of changes';
  return { status: 'disabled', reason, consumers: 0, topics: [] };
}

function bestOf(topic: string, reports: readonly ConsumerReport[]): TopicReport | undefined {
  return reports
    .flatMap((report) => report.topics.filter((each) => each.topic === topic))
    .sort((a, b) => BEST_FIRST.indexOf(a.state) - BEST_FIRST.indexOf(b.state))[0];
}

function trouble(report: TopicReport | AbsentTopic): string {
  if (report.state === 'absent') return `${report.topic}: no subscriber is registered for it`;
  return `${report.topic} is ${report.state}${report.lastError ? ` (${report.lastError})` : ''}`;
}
