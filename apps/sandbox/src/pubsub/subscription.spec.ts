import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FetchResponse } from '@bff/integrations/salesforce/events/pubsub-service';
import { ChangeEvents } from '../events/change-events.js';
import { Channels } from '../events/channels.js';
import { EventAllocation } from '../events/event-allocation.js';
import { EventDelivery } from '../events/event-delivery.js';
import { EventLog } from '../events/event-log.js';
import { EventSchemas } from '../events/event-schemas.js';
import { Org } from '../org/org.js';
import { REAL_TIMING } from '../timing.js';
import type { PubSubErrorName } from './pubsub-errors.js';
import { Subscription } from './subscription.js';

const SALES = '/data/Sales__chn';

describe('a Subscribe stream', () => {
  let org: Org;
  let subscription: Subscription;
  let allocation: EventAllocation;
  let responses: FetchResponse[];
  let end: { error: PubSubErrorName | undefined } | undefined;

  beforeEach(() => {
    jest.useFakeTimers();
    org = new Org();
    const log = new EventLog(org.clock);
    const channels = new Channels(org, () => true);
    channels.add(SALES);
    channels.setMember(SALES, 'AccountChangeEvent', ['Phone']);
    new ChangeEvents(org, channels, new EventSchemas(), new EventDelivery(log));
    allocation = new EventAllocation(1_000);
    responses = [];
    end = undefined;
    subscription = new Subscription(
      { channels, log, allocation, timing: { ...REAL_TIMING } },
      { send: (response) => responses.push(response), end: (error) => (end = { error }) },
    );
  });
  afterEach(() => {
    subscription.close();
    jest.useRealTimers();
  });

  const fetch = (numRequested: number, topicName = '/data/ChangeEvents'): void =>
    subscription.request({ topicName, numRequested, replayPreset: 'LATEST' });
  const publish = (count: number): void => {
    for (let i = 0; i < count; i++) org.create('Account', { Name: `${i}` });
    subscription.pump();
  };
  const delivered = (): number => responses.reduce((sum, { events }) => sum + events.length, 0);
  const pending = (): number | undefined => responses.at(-1)?.pendingNumRequested;

  it('delivers what was requested, and adds later requests to what is left, up to a hundred', () => {
    fetch(150);
    publish(60);
    expect([delivered(), pending()]).toEqual([60, 40]);
    fetch(90);
    publish(1);
    expect(pending()).toBe(99);
    publish(200);
    expect([delivered(), pending()]).toEqual([160, 0]);
    fetch(5);
    expect([delivered(), pending()]).toEqual([165, 0]);
  });

  it('counts the messages of an event that was taken apart: what was not requested waits', () => {
    const ids = ['a', 'b', 'c'].map((Name) => org.create('Account', { Name }));
    fetch(2, SALES);
    org.transaction((transaction) => ids.forEach((id) => transaction.update('Account', id, { Name: 'same' })));
    subscription.pump();
    expect(delivered()).toBe(2);
    fetch(2, SALES);
    expect([delivered(), pending()]).toEqual([3, 1]);
    expect(new Set(responses.flatMap(({ events }) => events.map((event) => event.replayId.toString('hex')))).size).toBe(
      1,
    );
  });

  it('is kept alive within 270 seconds after the last response while something is requested', () => {
    fetch(10);
    jest.advanceTimersByTime(200_000);
    publish(1);
    jest.advanceTimersByTime(269_999);
    expect(responses).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(responses.at(-1)).toMatchObject({ events: [], pendingNumRequested: 9, latestReplayId: { length: 8 } });
    jest.advanceTimersByTime(10 * 270_000);
    expect(responses).toHaveLength(12);
  });

  it('ends 60 seconds after the last request was used up, and not before', () => {
    fetch(1);
    publish(1);
    jest.advanceTimersByTime(59_000);
    fetch(1);
    publish(1);
    jest.advanceTimersByTime(59_999);
    expect(end).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(end).toEqual({ error: undefined });
  });

  it('sends nothing while it is silent, and everything after', () => {
    fetch(10);
    subscription.setSilent(true);
    publish(3);
    jest.advanceTimersByTime(600_000);
    expect(responses).toEqual([]);
    subscription.setSilent(false);
    expect(delivered()).toBe(3);
  });

  it('ends when the allocation is used up, and delivers nothing after its end', () => {
    fetch(100);
    allocation.count(995);
    publish(3);
    publish(3);
    publish(1);
    expect(end).toEqual({ error: 'limit-exceeded' });
    const before = delivered();
    publish(5);
    fetch(10);
    expect(delivered()).toBe(before);
  });
});
