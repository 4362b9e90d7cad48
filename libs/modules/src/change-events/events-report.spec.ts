import { describe, expect, it } from '@jest/globals';
import type { TopicState } from '@bff/integrations/salesforce/events/change-event-source';
import { eventsDisabled, eventsHealth, type ConsumerReport, type TopicReport } from './events-report.js';

function consumer(states: Readonly<Record<string, TopicState>>): ConsumerReport {
  const topics = Object.entries(states).map(([topic, state]): TopicReport => ({
    topic,
    state,
    subscriptions: ['Order'],
    events: {},
    retries: 0,
    reconnects: 0,
    gaps: 0,
    lastEventAt: undefined,
    lastSeenAt: undefined,
    lastError: state === 'lost' ? 'connection reset' : undefined,
    skipped: 0,
    ignored: 0,
    invalidations: 0,
    lastCommittedReplayId: undefined,
    lastCommittedAt: undefined,
  }));
  return { transport: 'cometd', topics };
}

describe('the health of change events', () => {
  it('is down, in words, when nobody consumes them', () => {
    expect(eventsHealth(['/a'], [])).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('start a worker'),
      topics: [{ topic: '/a', state: 'absent' }],
    });
  });

  it('is up when every topic is live in some process', () => {
    const health = eventsHealth(['/a', '/b'], [consumer({ '/a': 'live', '/b': 'lost' }), consumer({ '/b': 'live' })]);
    expect(health).toMatchObject({ status: 'up', consumers: 2 });
    expect(health.reason).toBeUndefined();
  });

  it('is degraded, with the reason, when a topic is not live', () => {
    expect(eventsHealth(['/a', '/b'], [consumer({ '/a': 'live', '/b': 'lost' })])).toMatchObject({
      status: 'degraded',
      reason: '/b is lost (connection reset)',
    });
  });

  it('is down when no topic is live', () => {
    expect(eventsHealth(['/a'], [consumer({ '/a': 'connecting' })]).status).toBe('down');
  });

  it('shows a topic that no subscriber was registered for', () => {
    expect(eventsHealth(['/a', '/b'], [consumer({ '/a': 'live' })])).toMatchObject({
      status: 'degraded',
      reason: '/b: no subscriber is registered for it',
    });
  });

  it('says that events are switched off (P18)', () => {
    expect(eventsDisabled()).toMatchObject({
      status: 'disabled',
      reason: expect.stringContaining('SF_EVENTS_ENABLED'),
    });
  });
});
