import { describe, expect, it } from '@jest/globals';
import { unheardTopic, type TopicState } from '@bff/integrations/salesforce/events/change-event-source';
import {
  eventsDisabled,
  eventsHealth as healthWith,
  type ConsumerReport,
  type StoreWord,
  type TopicReport,
} from './events-report.js';

const FOLLOWED: StoreWord = {
  holder: 'worker-1',
  ages: new Map([['Order', 800]]),
  lostAfterMs: 60_000,
  relied: ['Order'],
};
const eventsHealth = (
  expected: readonly string[],
  reports: readonly ConsumerReport[],
  store: Partial<StoreWord> = {},
) => healthWith(expected, reports, { ...FOLLOWED, ...store });

function consumer(states: Readonly<Record<string, TopicState>>): ConsumerReport {
  const topics = Object.entries(states).map(([topic, state]): TopicReport => ({
    ...unheardTopic(topic, 'cometd'),
    state,
    subscriptions: ['Order'],
    lastError: state === 'lost' ? 'connection reset' : undefined,
    skipped: 0,
    ignored: 0,
    invalidations: 0,
    poisoned: 0,
    lastPoison: undefined,
    lastCommittedReplayId: undefined,
    lastCommittedAt: undefined,
  }));
  return { transport: 'cometd', holder: 'worker-1', role: 'active', topics };
}

const standBy: ConsumerReport = { transport: 'cometd', holder: 'worker-2', role: 'stand-by', topics: [] };

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

  it('is degraded when Salesforce is silent about an object because the user may not read it', () => {
    const { topics, ...rest } = consumer({ '/a': 'live' });
    const blind = { ...rest, topics: topics.map((topic) => ({ ...topic, unreadable: ['Order'] })) };
    expect(eventsHealth(['/a'], [blind])).toMatchObject({
      status: 'degraded',
      reason: '/a: the integration user may not read all of Order, so not all changes arrive',
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

  it('is degraded, with the reason, while an event of a live topic cannot be applied', () => {
    const stuck = (failures: number): ConsumerReport => {
      const { topics, ...rest } = consumer({ '/a': 'live' });
      return { ...rest, topics: topics.map((each) => ({ ...each, failures, pendingSince: 0, lastError: 'OOM' })) };
    };
    expect(eventsHealth(['/a'], [stuck(1)]).status).toBe('up');
    expect(eventsHealth(['/a'], [stuck(2)])).toMatchObject({
      status: 'degraded',
      reason: '/a: an event could not be applied since 1970-01-01T00:00:00.000Z (2 times: OOM)',
      topics: [{ topic: '/a', failures: 2, pendingSince: 0 }],
    });
    expect(eventsHealth(['/a'], [stuck(2), consumer({ '/a': 'live' })]).status).toBe('up');
  });

  it('is down while none of the processes that stand by has taken over', () => {
    expect(eventsHealth(['/a'], [standBy, standBy])).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('2 stand by'),
      consumers: 2,
    });
    const health = eventsHealth(['/a'], [standBy, consumer({ '/a': 'live' })]);
    expect(health).toMatchObject({ status: 'up', leader: 'worker-1', consumers: 2 });
  });

  it('[N9] counts the processes that stand by, not one that was killed and is still on the board', () => {
    const killed = { ...consumer({ '/a': 'live' }), holder: 'killed' };
    expect(eventsHealth(['/a'], [standBy, killed], { holder: undefined })).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('; 1 stand by'),
      consumers: 1,
    });
  });

  it('[N9] says an error that several topics have once, with their names', () => {
    const topics = ['/a', '/b', '/c'];
    const { reason } = eventsHealth(topics, [consumer({ '/a': 'lost', '/b': 'lost', '/c': 'lost' })]);
    expect(reason).toBe('/a, /b, /c are lost (connection reset)');
    expect(eventsHealth(['/a', '/b', '/c', '/d'], [consumer({ '/a': 'lost', '/b': 'live' })]).reason).toBe(
      '/a is lost (connection reset); /c, /d: no subscriber is registered for them',
    );
  });

  it('[N9] calls a live topic quiet when nothing has come on its stream for long, and it stays up', () => {
    const { topics, ...rest } = consumer({ '/a': 'live', '/b': 'live' });
    const silent = {
      ...rest,
      topics: topics.map((topic) => (topic.topic === '/a' ? { ...topic, silentSince: 7 } : topic)),
    };
    const health = eventsHealth(['/a', '/b'], [silent]);
    expect(health.status).toBe('up');
    expect(health.topics).toMatchObject([{ state: 'quiet', silentSince: 7 }, { state: 'live' }]);
  });

  it('believes the store who consumes, not a process that died and is still on the board', () => {
    const dead = { ...consumer({ '/a': 'live' }), holder: 'dead' };
    const next = consumer({ '/a': 'connecting' });
    expect(eventsHealth(['/a'], [dead, next])).toMatchObject({ status: 'down', leader: 'worker-1' });
    expect(eventsHealth(['/a'], [dead], { holder: undefined })).toMatchObject({ status: 'down', consumers: 0 });
  });

  it('tells nothing of a feed that nobody asks for any more', () => {
    const ages = new Map([['Order', 10], ['Removed', 86_400_000]]); // prettier-ignore
    const health = eventsHealth(['/a'], [consumer({ '/a': 'live' })], { ages });
    expect(health).toMatchObject({ status: 'up', feeds: [{ feed: 'Order' }] });
  });

  it('is degraded when a cache relies on a feed that no subscriber of the consumer follows', () => {
    const health = eventsHealth(['/a'], [consumer({ '/a': 'live' })], { relied: ['Case', 'Order'] });
    expect(health.feeds).toEqual([
      { feed: 'Case', state: 'lost', behindMs: undefined },
      { feed: 'Order', state: 'live', behindMs: 800 },
    ]);
    expect(health).toMatchObject({
      status: 'degraded',
      reason:
        "a cache relies on the changes of Case, which nobody follows: the worker needs the subscriber's module, too",
    });
  });

  it('tells whole milliseconds, and none too few', () => {
    const health = eventsHealth(['/a'], [consumer({ '/a': 'live' })], { ages: new Map([['Order', 670.19]]) });
    expect(health.feeds).toEqual([{ feed: 'Order', state: 'live', behindMs: 671 }]);
  });

  it.each([
    [4_000, 'up', 'live', undefined],
    [20_000, 'degraded', 'lagging', 'the changes of Order are followed up to 20 s ago (lagging)'],
    [60_000, 'degraded', 'lost', 'the changes of Order are followed up to 60 s ago (lost)'],
    [undefined, 'degraded', 'lost', 'the changes of Order are not followed yet'],
  ])('tells a feed that is %s ms behind: %s', (behindMs, status, state, reason) => {
    const ages = new Map(behindMs === undefined ? [] : [['Order', behindMs]]);
    const health = eventsHealth(['/a'], [consumer({ '/a': 'live' })], { ages });
    expect(health).toMatchObject({ status, feeds: [{ feed: 'Order', state, behindMs }] });
    expect(health.reason).toBe(reason);
  });

  it('[P18] is degraded when events are switched off, and says how long entries live then', () => {
    expect(eventsDisabled(60)).toMatchObject({
      status: 'degraded',
      reason: 'change events are switched off (SF_EVENTS_ENABLED=false): entries live at most 60 s',
    });
  });
});
