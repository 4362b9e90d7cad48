import type { TopicHealth, TopicState } from '@bff/integrations/salesforce/events/change-event-source';
import type { ApiUsage } from '@bff/integrations/salesforce/salesforce.client';
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

/** An event that failed once is a hiccup of the store; one that failed this often stands for entries that are out of date. */
const FAILURES_UNTIL_STUCK = 2;

/**
 * `up` every topic is live and applies its events · `degraded` some topic does not, or events are switched off · `down`
 * nobody hears anything. Entries without a TTL are kept as if fresh in all three (switched off bounds them); only `up`
 * means that they are.
 */
export type EventsStatus = 'up' | 'degraded' | 'down';

/** What `GET /health/sf-events` answers. */
export interface EventsHealth {
  /** The org's API requests of the last 24 hours, by the newest answer that this process had. */
  readonly apiUsage?: ApiUsage;
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
  const broken = topics.filter((topic) => topic.state !== 'live' || isStuck(topic) || isBlind(topic));
  if (broken.length === 0) return { status: 'up', ...common };
  return {
    status: topics.some(({ state }) => state === 'live') ? 'degraded' : 'down',
    reason: broken.map(trouble).join('; '),
    ...common,
  };
}

/** What is answered when events are switched off, which bounds change-driven entries by `maxAgeSeconds`. */
export function eventsDisabled(maxAgeSeconds: number): EventsHealth {
  const reason = `change events are switched off (SF_EVENTS_ENABLED=false): entries live at most ${maxAgeSeconds} s`;
  return { status: 'degraded', reason, consumers: 0, topics: [] };
}

function bestOf(topic: string, reports: readonly ConsumerReport[]): TopicReport | undefined {
  return reports
    .flatMap((report) => report.topics.filter((each) => each.topic === topic))
    .sort((a, b) => rank(a) - rank(b))[0];
}

/** Live and applying events before live and stuck, before the rest. */
function rank(report: TopicReport): number {
  return 2 * BEST_FIRST.indexOf(report.state) + (isStuck(report) ? 1 : 0);
}

/** Live, but the event in hand cannot be applied, and those behind it wait. */
function isStuck(report: TopicReport | AbsentTopic): boolean {
  return report.state === 'live' && report.failures >= FAILURES_UNTIL_STUCK;
}

/** Live, but Salesforce leaves out objects that the integration user cannot read. */
function isBlind(report: TopicReport | AbsentTopic): boolean {
  return report.state === 'live' && report.unreadable.length > 0;
}

function trouble(report: TopicReport | AbsentTopic): string {
  if (report.state === 'absent') return `${report.topic}: no subscriber is registered for it`;
  if (isStuck(report)) {
    const since = report.pendingSince === undefined ? '' : ` since ${new Date(report.pendingSince).toISOString()}`;
    return `${report.topic}: an event could not be applied${since} (${report.failures} times: ${report.lastError ?? 'no reason'})`;
  }
  if (isBlind(report)) {
    return `${report.topic}: the integration user may not read all of ${report.unreadable.join(', ')}, so not all changes arrive`;
  }
  return `${report.topic} is ${report.state}${report.lastError ? ` (${report.lastError})` : ''}`;
}
