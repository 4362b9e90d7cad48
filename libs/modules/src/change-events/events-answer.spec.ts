import { expect, it } from '@jest/globals';
import { unheardTopic } from '@bff/integrations/salesforce/events/change-event-source';
import { eventsAnswer } from './events-answer.js';
import type { EventsHealth, TopicReport } from './events-report.js';

const topic = {
  ...unheardTopic('/a', 'pubsub'),
  lastEventAt: 1_000,
  pendingSince: 0,
  lastCommitTimestamp: 2_500,
  silentSince: 3_000,
  waiting: 5,
  subscriptions: [],
} as unknown as TopicReport;

it('[N9] writes every instant in one form, and leaves durations and counters as they are', () => {
  const health = {
    status: 'up',
    consumers: 1,
    feeds: [{ feed: 'Order', state: 'live', behindMs: 12 }],
    topics: [topic],
    reconciler: { lastRunAt: 4_000, periodSeconds: 300, tables: [{ table: 'Order', lastRunAt: undefined, runs: 2 }] },
  } as unknown as EventsHealth;
  const answer = JSON.parse(JSON.stringify(eventsAnswer(health, new Date(0)))) as Record<string, unknown>;
  expect(answer).toMatchObject({
    timestamp: '1970-01-01T00:00:00.000Z',
    feeds: [{ behindMs: 12 }],
    topics: [
      {
        lastEventAt: '1970-01-01T00:00:01.000Z',
        pendingSince: '1970-01-01T00:00:00.000Z',
        lastCommitTimestamp: '1970-01-01T00:00:02.500Z',
        silentSince: '1970-01-01T00:00:03.000Z',
        waiting: 5,
      },
    ],
    reconciler: { lastRunAt: '1970-01-01T00:00:04.000Z', periodSeconds: 300, tables: [{ runs: 2 }] },
  });
});
