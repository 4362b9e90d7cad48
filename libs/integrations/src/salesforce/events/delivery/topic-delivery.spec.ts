import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { changeEvent } from '../../../../../../test/support/change-event.js';
import { type Deferred, deferred } from '../../../../../../test/support/deferred.js';
import type { EventBatch, TopicHandler } from '../change-event-source.js';
import type { SourceEvent } from '../source-event.js';
import { StreamJournal } from './stream-journal.js';
import { resolveStreamOptions, type StreamOptions } from '../stream.options.js';
import { TopicDelivery } from './topic-delivery.js';

const TOPIC = '/data/OrderChangeEvent';

class Recorder implements TopicHandler {
  readonly batches: EventBatch[] = [];
  readonly gaps: string[] = [];
  /** Called before a batch is taken; may reject or wait. */
  before: (batch: EventBatch) => Promise<void> = () => Promise.resolve();
  /** Called before a gap is taken; may reject or wait. */
  beforeGap: () => Promise<void> = () => Promise.resolve();

  async onEvents(batch: EventBatch): Promise<void> {
    this.batches.push(batch);
    await this.before(batch);
  }

  async onGap(reason: string): Promise<void> {
    await this.beforeGap();
    this.gaps.push(`${reason} after ${this.ids().join()}`);
  }

  ids(): (string | undefined)[] {
    return this.batches.flatMap(({ events }) => events.map(({ replayId }) => replayId));
  }
}

/** Counts events and stores none. It takes them more slowly than the test offers them. */
class Tally implements TopicHandler {
  /** The next expected event; `misplaced` counts the others. */
  next = 0;
  misplaced = 0;
  largest = 0;

  async onEvents({ events }: EventBatch): Promise<void> {
    this.largest = Math.max(this.largest, events.length);
    for (const { replayId } of events) if (replayId !== String(this.next++)) this.misplaced += 1;
    await nextTurn();
  }

  onGap(): Promise<void> {
    return Promise.resolve();
  }
}

function event(replayId: string): SourceEvent {
  return platformEvent(replayId, {});
}

function platformEvent(replayId: string, fields: Readonly<Record<string, unknown>>): SourceEvent {
  return { kind: 'platform', topic: TOPIC, replayId, fields };
}

function delivery(handler: TopicHandler, options: StreamOptions = {}): TopicDelivery {
  const resolved = resolveStreamOptions({ settleMs: 0, retryMinMs: 1, handlerRetryMaxMs: 2, ...options });
  return new TopicDelivery(TOPIC, 'test', handler, resolved, new StreamJournal(() => undefined));
}

describe('the delivery of a topic', () => {
  it('hands over what waits as one batch, in order, never more than its bound', async () => {
    const handler = new Recorder();
    const topic = delivery(handler, { batchMax: 3 });
    for (const id of 'abcdefg') expect(topic.offer(event(id))).toBe(true);
    await topic.drained();
    expect(handler.batches.map(({ events, position }) => [events.length, position])).toEqual([
      [3, 'c'],
      [3, 'f'],
      [1, 'g'],
    ]);
    expect(handler.ids().join('')).toBe('abcdefg');
    expect(topic.health()).toMatchObject({ events: { platform: 7 }, waiting: 0, lastPosition: 'g' });
  });

  it('gathers what comes while the handler is busy, without a wait of its own', async () => {
    const handler = new Recorder();
    const topic = delivery(handler);
    handler.before = async () => {
      if (handler.batches.length === 1) for (const id of 'bcd') topic.offer(event(id));
    };
    topic.offer(event('a'));
    await topic.drained();
    expect(handler.batches.map(({ events }) => events.length)).toEqual([1, 3]);
  });

  it('[invariant 10] hands over the same batch again until it is taken, and nothing before that', async () => {
    const handler = new Recorder();
    const topic = delivery(handler);
    let rejections = 3;
    handler.before = async () => {
      if (rejections-- <= 0) return;
      topic.offer(event('later'));
      throw new Error('the store is away');
    };
    topic.offer(event('a'));
    topic.offer(event('b'));
    expect(handler.batches).toHaveLength(0); // nothing is handed over in the reader's turn
    await topic.drained();
    expect(handler.batches).toHaveLength(5);
    expect(new Set(handler.batches.slice(0, 4)).size).toBe(1);
    expect(handler.batches[4]?.events).toHaveLength(3);
    expect(topic.health()).toMatchObject({ retries: 3, waiting: 0, lastPosition: 'later' });
  });

  it('[invariant 12] holds no more than its bound, what is in hand included, and takes more when there is room', async () => {
    const handler = new Recorder();
    const topic = delivery(handler, { queueMax: 4, batchMax: 2 });
    let release = (): void => undefined;
    handler.before = () => new Promise((resolve) => (release = resolve));
    const taken = Array.from({ length: 10 }, (_, n) => topic.offer(event(String(n))));
    expect(taken.filter(Boolean)).toHaveLength(4);
    await Promise.resolve();
    await Promise.resolve();
    expect(handler.batches).toHaveLength(1);
    expect(topic.offer(event('x'))).toBe(false);
    const room = new Promise<void>((resolve) => (topic.onTaken = resolve));
    release();
    await room;
    expect(topic.waiting).toBe(2);
    expect(topic.offer(event('y'))).toBe(true);
    const stopped = topic.stop();
    release();
    await stopped;
  });

  it('takes a burst of fifty thousand in order, and never holds more of it than its bound', async () => {
    const bounds = { queueMax: 1_000, batchMax: 500 };
    const handler = new Tally();
    const topic = delivery(handler, bounds);
    let room = (): void => undefined;
    topic.onTaken = () => room();
    let most = 0;
    for (let n = 0; n < 50_000; n++) {
      while (!topic.offer(event(String(n)))) await new Promise<void>((resolve) => (room = resolve));
      most = Math.max(most, topic.waiting);
    }
    await topic.drained();
    expect(most).toBe(bounds.queueMax);
    expect(handler).toMatchObject({ next: 50_000, misplaced: 0, largest: bounds.batchMax });
    expect(topic.health()).toMatchObject({ events: { platform: 50_000 }, waiting: 0, lastPosition: '49999' });
  });

  it('tells of a gap between the events before and after it', async () => {
    const handler = new Recorder();
    const topic = delivery(handler);
    topic.offer(event('a'));
    topic.subscribed('position-expired');
    topic.offer(event('b'));
    await topic.drained();
    expect(handler.gaps).toEqual(['position-expired after a']);
    expect(handler.batches).toHaveLength(2);
    expect(topic.health()).toMatchObject({ gaps: 1, state: 'live' });
  });

  it('passes the position of a keep-alive on only when what came before is applied, the newest one only', async () => {
    const handler = new Recorder();
    const topic = delivery(handler);
    topic.offer(event('a'));
    topic.keptAlive('k1');
    topic.keptAlive('k2');
    await topic.drained();
    expect(handler.batches).toEqual([{ events: [event('a')], position: 'k2' }]);
    topic.keptAlive('k3');
    topic.offer(event('b'));
    topic.keptAlive('k4');
    topic.offer(event('c'));
    await topic.drained();
    topic.keptAlive('k5');
    await topic.drained();
    expect(handler.batches.slice(1)).toEqual([
      { events: [event('b'), event('c')], position: 'c' },
      { events: [], position: 'k5' },
    ]);
    expect(topic.health()).toMatchObject({ lastPosition: 'k5', lastKeepAliveAt: expect.any(Number) });
  });

  it('stops when the running call is over, and calls no more', async () => {
    const handler = new Recorder();
    const topic = delivery(handler, { batchMax: 1 });
    let release = (): void => undefined;
    handler.before = () => new Promise((resolve) => (release = resolve));
    topic.offer(event('a'));
    topic.offer(event('b'));
    await Promise.resolve();
    await Promise.resolve();
    const stopped = topic.stop();
    release();
    await stopped;
    topic.offer(event('c'));
    expect(handler.ids()).toEqual(['a']);
    expect(topic.health()).toMatchObject({ state: 'stopped', waiting: 0 });
  });
});

describe('a topic whose gap is being dealt with', () => {
  let handler: Recorder;
  let topic: TopicDelivery;
  let dealtWith: Deferred<void>;

  async function subscribedAfterGap(): Promise<void> {
    dealtWith = deferred();
    topic.connecting();
    topic.subscribed('position-expired');
    await jest.advanceTimersByTimeAsync(1);
  }

  async function dealWithIt(): Promise<void> {
    dealtWith.resolve();
    await topic.drained();
  }

  beforeEach(async () => {
    jest.useFakeTimers();
    handler = new Recorder();
    handler.beforeGap = () => dealtWith.promise;
    topic = delivery(handler);
    await subscribedAfterGap();
  });
  afterEach(() => void jest.useRealTimers());

  it('is live and followed when that is done, and not before', async () => {
    await jest.advanceTimersByTimeAsync(60_000);
    expect(topic.health()).toMatchObject({ state: 'connecting', behindMs: undefined, gaps: 0 });
    await dealWithIt();
    expect(topic.health()).toMatchObject({ state: 'live', behindMs: 0, gaps: 1 });
  });

  it('[N9] says since when its stream is silent, after a minute, and no more once it is not', async () => {
    await dealWithIt();
    expect(topic.health().silentSince).toBeUndefined();
    const quietFrom = Date.now();
    topic.keptAlive();
    await jest.advanceTimersByTimeAsync(59_999);
    topic.seen(); // of the connection, not of this stream
    expect(topic.health().silentSince).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(topic.health()).toMatchObject({ state: 'live', silentSince: quietFrom });
    topic.keptAlive();
    expect(topic.health().silentSince).toBeUndefined();
    await jest.advanceTimersByTimeAsync(60_000);
    topic.lost('the connection broke');
    expect(topic.health().silentSince).toBeUndefined();
  });

  it('is neither live nor followed when it was lost again meanwhile', async () => {
    topic.lost('the connection broke');
    await dealWithIt();
    expect(handler.gaps).toHaveLength(1);
    expect(topic.health()).toMatchObject({
      state: 'lost',
      behindMs: undefined,
      gaps: 1,
      lastError: 'the connection broke',
    });
    await subscribedAfterGap();
    await dealWithIt();
    expect(topic.health()).toMatchObject({ state: 'live', behindMs: 0, gaps: 2, lastError: undefined });
  });

  it('is as far behind as its first loss when it was followed before and lost again meanwhile', async () => {
    topic.seen();
    await dealWithIt();
    topic.seen();
    topic.lost('the connection broke');
    await subscribedAfterGap();
    topic.lost('the connection broke again');
    await dealWithIt();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(topic.health().state).toBe('lost');
    expect(topic.health().behindMs).toBeGreaterThanOrEqual(60_000);
  });

  it('stays stopped when it was stopped meanwhile, and nobody follows it', async () => {
    const stopped = topic.stop();
    await dealWithIt();
    await stopped;
    expect(topic.health()).toMatchObject({ state: 'stopped', behindMs: undefined });
  });
});

describe('a topic that is subscribed after its position', () => {
  let topic: TopicDelivery;

  beforeEach(() => {
    jest.useFakeTimers();
    topic = delivery(new Recorder(), { catchUpMs: 60_000 });
    topic.connecting();
    topic.subscribed(undefined);
  });
  afterEach(() => void jest.useRealTimers());

  /** Lets an event be taken that happened `ms` after the subscription; resolves with `behindMs` after that. */
  async function behindAfterEventOf(ms: number): Promise<number | undefined> {
    return behindAfter(changeEvent({ commitTimestamp: Date.now() + ms }));
  }

  async function behindAfter(taken: SourceEvent): Promise<number | undefined> {
    topic.offer(taken);
    await topic.drained();
    return topic.health().behindMs;
  }

  it('is not followed when an event of before was taken: more of what was missed may come', async () => {
    expect(await behindAfterEventOf(-1)).toBeUndefined();
    expect(await behindAfterEventOf(1_000)).toBeUndefined(); // too little to be sure, because the clocks may differ
    expect(await behindAfterEventOf(2_000)).toBe(0);
  });

  it.each([
    ['the Pub/Sub API', (at: number) => at],
    ['CometD', (at: number) => new Date(at).toISOString()],
  ])('is followed while platform events never pause: those of %s say when they were published', async (_, stamp) => {
    const published = (ms: number) => platformEvent('7', { CreatedDate: stamp(Date.now() + ms) });
    expect(await behindAfter(published(1_999))).toBeUndefined();
    expect(await behindAfter(published(2_000))).toBe(0);
  });

  it.each([[undefined], ['no date'], [null], [{}]])(
    'is not followed by a platform event that was published at %p',
    async (stamp) => {
      expect(await behindAfter(platformEvent('7', { CreatedDate: stamp }))).toBeUndefined();
    },
  );

  it.each([
    ['before it is live says nothing', () => topic.keptAlive(), 61_000],
    ['once it is live ends the doubt of a silence', () => undefined, 0],
  ])('a keep-alive %s', async (_, connecting, behindMs) => {
    topic.seen();
    await behindAfterEventOf(2_000);
    topic.lost('silence', { isSilent: true });
    topic.connecting();
    connecting();
    topic.subscribed(undefined);
    if (behindMs === 0) topic.keptAlive();
    await jest.advanceTimersByTimeAsync(61_000);
    expect(topic.health().behindMs).toBe(behindMs);
  });

  it('is not behind by an event that was taken', async () => {
    await behindAfterEventOf(2_000);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(topic.health()).toMatchObject({ behindMs: 0, waiting: 0 });
  });
});

describe('objects that the integration user could not read', () => {
  let handler: Recorder;
  let topic: TopicDelivery;

  beforeEach(() => {
    handler = new Recorder();
    topic = delivery(handler);
    topic.unreadable.set(['Order', 'Product2']);
  });

  async function subscribedAnew(): Promise<void> {
    topic.connecting();
    topic.subscribed(undefined);
    await topic.drained();
  }

  it('count as such, over new subscriptions, until they can be read', async () => {
    await subscribedAnew();
    expect(handler.gaps).toEqual([]);
    expect(topic.health().unreadable).toEqual(['Order', 'Product2']);
  });

  it('are vouched for when the gap of the next subscription is dealt with, and not before', async () => {
    let duringGap: readonly string[] | undefined;
    handler.beforeGap = async () => void (duringGap = topic.unreadable.all);
    topic.unreadable.keepOnly(['Product2']);
    expect([topic.unreadable.all, topic.unreadable.returning]).toEqual([['Order', 'Product2'], ['Order']]);
    await subscribedAnew();
    expect(topic.unreadable.returning).toEqual([]);
    expect(duringGap).toEqual(['Order', 'Product2']);
    expect(handler.gaps).toEqual(['was-unreadable after ']);
    expect(topic.health()).toMatchObject({ state: 'live', unreadable: ['Product2'] });
    await subscribedAnew();
    expect(handler.gaps).toHaveLength(1);
  });

  it('are not vouched for when that was taken back before the next subscription', async () => {
    topic.unreadable.keepOnly([]);
    topic.unreadable.set(['Order', 'Product2', 'Account']);
    expect(topic.unreadable.returning).toEqual([]);
    await subscribedAnew();
    expect(handler.gaps).toEqual([]);
    expect(topic.unreadable.all).toEqual(['Order', 'Product2', 'Account']);
  });

  it('do not hide another that becomes unreadable while their gap is handled', async () => {
    handler.beforeGap = async () => topic.unreadable.set([...topic.unreadable.all, 'Account']);
    topic.unreadable.keepOnly(['Product2']);
    await subscribedAnew();
    expect(topic.unreadable.all).toEqual(['Product2', 'Account']);
  });
});
