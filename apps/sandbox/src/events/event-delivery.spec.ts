import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Org } from '../org/org.js';
import { EventDelivery } from './event-delivery.js';
import { EventLog } from './event-log.js';
import { eventSchema } from './event-schema.js';

describe('the way of an event to the bus', () => {
  let log: EventLog;
  let delivery: EventDelivery;
  const schema = eventSchema(new Org().existingObject('Account_Eligibility_Update__e'));

  beforeEach(() => {
    jest.useFakeTimers();
    log = new EventLog(new Org().clock);
    delivery = new EventDelivery(log);
  });
  afterEach(() => {
    delivery.close();
    jest.useRealTimers();
  });
  const publish = (id: string): number | undefined =>
    delivery.publish({ channel: '/event/x', schema, content: { kind: 'platform', id, fields: {} }, copies: 1 });
  const arrived = (): string[] =>
    log.after(-1, 100).map(({ content }) => (content.kind === 'platform' ? content.id : ''));

  it('is immediate unless a delay is set', () => {
    expect(publish('a')).toBe(log.tip);
    expect(arrived()).toEqual(['a']);
  });

  it('takes the delay, and keeps the order when the delay gets shorter', async () => {
    delivery.delayMs = 1_000;
    expect(publish('a')).toBeUndefined();
    await jest.advanceTimersByTimeAsync(600);
    delivery.delayMs = 0;
    publish('b');
    expect(arrived()).toEqual([]);
    await jest.advanceTimersByTimeAsync(399);
    expect(arrived()).toEqual([]);
    await jest.advanceTimersByTimeAsync(2);
    expect(arrived()).toEqual(['a', 'b']);
    publish('c');
    expect(arrived()).toEqual(['a', 'b', 'c']);
  });

  it('lets each event come at its own time', async () => {
    delivery.delayMs = 1_000;
    publish('a');
    await jest.advanceTimersByTimeAsync(500);
    publish('b');
    await jest.advanceTimersByTimeAsync(501);
    expect(arrived()).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(500);
    expect(arrived()).toEqual(['a', 'b']);
  });

  it('is over at once for what is under way when the delay is ended', async () => {
    delivery.delayMs = 1_000;
    publish('a');
    publish('b');
    delivery.catchUp();
    publish('c');
    expect(arrived()).toEqual(['a', 'b', 'c']);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(arrived()).toHaveLength(3);
  });

  it('loses what is under way when it closes', async () => {
    delivery.delayMs = 1_000;
    publish('a');
    delivery.close();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(arrived()).toEqual([]);
  });
});
