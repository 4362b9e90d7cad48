import { setImmediate as nextTurn } from 'node:timers/promises';
import { NotAcknowledgedError, StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import type { EventBatch } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Deferred, deferred } from '../../../../../test/support/deferred.js';
import { eventually } from '../../../../../test/support/eventually.js';
import type { Subscription } from '../change-subscriber.js';
import { TopicConsumer, type TopicListeners, type TopicPosition } from './topic-consumer.js';

const TOPIC = '/event/Thing__e';
const NAME = 'org:test:/event/Thing__e';
const { checkpoints } = createFleet();
const cache = composeCache({});
let answer: readonly Dependency[] | undefined;
let steps: string[];
/** How many of the next invalidations are refused. */
let failures: number;
/** Why an invalidation is refused; undefined if it is not. */
let refusal: (dependencies: readonly Dependency[]) => Error | undefined;
/** The calls of `noteInvalidated` of the subscription's domain: the number of dependencies, and of changes. */
let counted: { count: number; changes: number }[];

const invalidate = cache.invalidate.bind(cache);
cache.invalidate = async (...dependencies) => {
  const error = refusal(dependencies);
  if (error) throw error;
  steps.push(`invalidating after ${(await checkpoints.load(NAME)) ?? 'nothing'}`);
  return invalidate(...dependencies);
};

const subscription: Subscription = {
  name: 'thing',
  topic: TOPIC,
  everything: [record('Thing', 'all')],
  dependencies: () => answer,
  domain: { noteInvalidated: ({ length }, changes) => void counted.push({ count: length, changes }) },
};

function event(replayId: string | undefined): SourceEvent {
  return replayId === undefined
    ? { kind: 'undecodable', topic: TOPIC, replayId, reason: 'unknown schema' }
    : { kind: 'platform', topic: TOPIC, replayId, fields: {} };
}

function batch(replayId: string | undefined): EventBatch {
  return { events: [event(replayId)], position: replayId };
}

const kept: TopicPosition = {
  load: () => checkpoints.load(NAME),
  save: (position) => checkpoints.save(NAME, position),
};

function consumer(listeners: TopicListeners = {}, asked = subscription, position = kept): TopicConsumer {
  return new TopicConsumer(TOPIC, [asked], cache, position, listeners);
}

/** A position whose first save rejects. */
function keptAtSecondTry(): TopicPosition {
  let attempts = 0;
  const save = (position: string) =>
    attempts++ === 0 ? Promise.reject(new Error('the org is away')) : kept.save(position);
  return { ...kept, save };
}

beforeEach(() => {
  Logger.overrideLogger(false);
  answer = [record('Thing', '1')];
  steps = [];
  failures = 0;
  refusal = () => (failures-- > 0 ? new Error('the store is away') : undefined);
  counted = [];
});
afterEach(() => checkpoints.remove(NAME));

describe('the consumer of a topic', () => {
  it('[P16] [invariant 10] commits a replay id only after the invalidation', async () => {
    const consuming = consumer();
    expect(await consuming.position()).toBe('latest');
    await consuming.onEvents(batch('7'));
    await consuming.onEvents(batch('8'));
    expect(steps).toEqual(['invalidating after nothing', 'invalidating after 7']);
    expect(await consuming.position()).toEqual({ after: '8' });
    expect(consuming.counters()).toMatchObject({ invalidations: 2, lastCommittedReplayId: '8' });
  });

  it('[P17] [invariant 10] rejects and commits nothing when the invalidation was not acknowledged, and succeeds when tried again', async () => {
    failures = 1;
    const consuming = consumer();
    await expect(consuming.onEvents(batch('7'))).rejects.toThrow('the store is away');
    expect(await consuming.position()).toBe('latest');
    await consuming.onEvents(batch('7'));
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(consuming.counters()).toMatchObject({ invalidations: 1, skipped: 0 });
  });

  it('[P23] counts an event once, however often it is retried', async () => {
    failures = 1;
    const consuming = consumer();
    const retried = batch('7');
    await cache.set('things:1', 'old', { dependsOn: [record('Thing', '1')] });
    await expect(consuming.onEvents(retried)).rejects.toThrow('the store is away');
    await consuming.onEvents(retried);
    expect(await cache.get('things:1')).toBeUndefined();
    expect(steps).toHaveLength(1);
    expect(counted).toEqual([{ count: 1, changes: 1 }]);
    expect(consuming.counters()).toMatchObject({ invalidations: 1, lastCommittedReplayId: '7' });
  });

  it('[P19] tells of an event once, with the keys that fell, after its invalidation and before its commit', async () => {
    const told: unknown[] = [];
    const applied: TopicListeners['applied'] = async (changes) => {
      told.push(...changes.map(({ keys, isWide }) => ({ keys, isWide })));
      steps.push(`telling after ${(await checkpoints.load(NAME)) ?? 'nothing'}`);
      expect(await cache.get('things:1')).toBeUndefined();
    };
    const consuming = consumer({ applied }, subscription, keptAtSecondTry());
    const retried = batch('7');
    await cache.set('things:1', 'old', { dependsOn: [record('Thing', '1')] });
    await expect(consuming.onEvents(retried)).rejects.toThrow('the org is away');
    await consuming.onEvents(retried);
    expect(steps).toEqual(['invalidating after nothing', 'telling after nothing']);
    expect(told).toEqual([{ keys: ['things:1'], isWide: false }]);
  });

  it('tells of what was acknowledged although something later was not, and that keys of a retried one may be missing', async () => {
    const told: unknown[] = [];
    let calls = 0;
    const failing: Subscription = {
      ...subscription,
      dependencies: ({ replayId }) => Array.from({ length: 700 }, (_, i) => record('Thing', `${replayId}-${i}`)),
    };
    refusal = () => (++calls === 2 ? new Error('no answer') : undefined);
    const applied: TopicListeners['applied'] = async (changes) => {
      told.push(...changes.map((change) => ({ replayId: change.event?.replayId, isWide: change.isWide })));
    };
    const consuming = consumer({ applied }, failing);
    const retried: EventBatch = { events: [event('7'), event('8')], position: '8' };
    await expect(consuming.onEvents(retried)).rejects.toThrow('no answer');
    expect(told).toEqual([{ replayId: '7', isWide: false }]);
    await consuming.onEvents(retried);
    expect(told).toEqual([
      { replayId: '7', isWide: false },
      { replayId: '8', isWide: true },
    ]);
  });

  it('tells of the same changes again if the listener fails, and goes on without it after the third time', async () => {
    const told: unknown[] = [];
    let failing = 2;
    const applied: TopicListeners['applied'] = async (changes) => {
      told.push(changes.map(({ event: of }) => of?.replayId));
      if (failing-- > 0) throw new Error('a defect of the listener');
    };
    const consuming = consumer({ applied });
    const retried = batch('7');
    for (let time = 0; time < 2; time++) {
      await expect(consuming.onEvents(retried)).rejects.toThrow('a defect of the listener');
    }
    await consuming.onEvents(retried);
    expect(told).toEqual([['7'], ['7'], ['7']]);
    expect(consuming.counters()).toMatchObject({ invalidations: 1, lastCommittedReplayId: '7' });

    failing = Infinity;
    const written = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const [hopeless, next] = [batch('8'), batch('9')];
    for (let time = 0; time < 2; time++) await expect(consuming.onEvents(hopeless)).rejects.toThrow('a defect');
    await consuming.onEvents(hopeless);
    expect(consuming.counters()).toMatchObject({ lastCommittedReplayId: '8' });
    expect(written.mock.calls).toEqual([
      [expect.anything(), expect.stringMatching(/1 changes are applied, and browsers may not hear of them/)],
    ]);
    written.mockRestore();
    failing = 0;
    await consuming.onEvents(next);
    expect(told.slice(3)).toEqual([['8'], ['8'], ['8'], ['9']]);
  });

  it('invalidates hundreds of events in one call, tells of each, and the last one stands for the entries that fell', async () => {
    const asked: Subscription = {
      ...subscription,
      dependencies: ({ replayId }) => [record('Thing', String(replayId))],
    };
    for (const id of ['3', '399']) await cache.set(`things:${id}`, 'old', { dependsOn: [record('Thing', id)] });
    const told: (readonly string[])[] = [];
    const applied: TopicListeners['applied'] = async (changes) => void told.push(...changes.map(({ keys }) => keys));
    const consuming = consumer({ applied }, asked);
    await consuming.onEvents({ events: Array.from({ length: 400 }, (_, i) => event(String(i))), position: '399' });
    expect(counted).toEqual([{ count: 400, changes: 400 }]);
    expect(consuming.counters()).toMatchObject({ invalidations: 400, lastCommittedReplayId: '399' });
    expect(told).toHaveLength(400);
    expect(told.slice(0, -1).flat()).toEqual([]);
    expect([...(told.at(-1) ?? [])].sort()).toEqual(['things:3', 'things:399']);
  });

  it('drops everything for an event that a subscription cannot read, says so, and goes on', async () => {
    const poisoned: Subscription = {
      ...subscription,
      dependencies: ({ replayId }) => {
        if (replayId === '8') throw new TypeError('fields is not iterable');
        return [record('Thing', '1')];
      },
    };
    await cache.set('things:all', 'old', { dependsOn: [record('Thing', 'all')] });
    const consuming = consumer({}, poisoned);
    await consuming.onEvents({ events: [event('7'), event('8'), event('9')], position: '9' });
    expect(await cache.get('things:all')).toBeUndefined();
    expect(consuming.counters()).toMatchObject({
      poisoned: 1,
      lastPoison: 'an event (8) that thing cannot read: fields is not iterable',
      lastCommittedReplayId: '9',
    });
  });

  it('drops everything for events that can never be applied, after three attempts, but waits for a store that is away', async () => {
    let error: Error = new StoreUnavailableError('the connection is closed');
    refusal = (dependencies) => (dependencies.includes(record('Thing', 'all')) ? undefined : error);
    await cache.set('things:all', 'old', { dependsOn: [record('Thing', 'all')] });
    const consuming = consumer();
    const retried = batch('7');
    for (let i = 0; i < 9; i++) await expect(consuming.onEvents(retried)).rejects.toThrow('the connection is closed');
    expect(consuming.counters().poisoned).toBe(0);
    error = new RangeError('Invalid array length');
    for (let i = 0; i < 3; i++) await expect(consuming.onEvents(retried)).rejects.toThrow('Invalid array length');
    expect(await cache.get('things:all')).toBe('old');
    await consuming.onEvents(retried);
    expect(await cache.get('things:all')).toBeUndefined();
    expect(consuming.counters()).toMatchObject({ poisoned: 1, invalidations: 1, lastCommittedReplayId: '7' });
  });

  it('repairs what no event told, without a position', async () => {
    const consuming = consumer();
    await consuming.onEvents(batch('7'));
    await cache.set('things:1', 'old', { dependsOn: [record('Thing', '1')] });
    await consuming.repair([event('found')]);
    expect(await cache.get('things:1')).toBeUndefined();
    expect(await consuming.position()).toEqual({ after: '7' });
  });

  it('does not repeat what was acknowledged when only the commit failed', async () => {
    const consuming = consumer({}, subscription, keptAtSecondTry());
    const retried = batch('7');
    await expect(consuming.onEvents(retried)).rejects.toThrow('the org is away');
    await consuming.onEvents(retried);
    expect(steps).toHaveLength(1);
    expect(consuming.counters()).toMatchObject({ invalidations: 1, skipped: 0, lastCommittedReplayId: '7' });
  });

  it('[P15] takes an event that comes twice', async () => {
    const consuming = consumer();
    await consuming.onEvents(batch('7'));
    await consuming.onEvents(batch('7'));
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(steps).toEqual(['invalidating after nothing', 'invalidating after 7']);
  });

  it('commits what it skips, so that it is not sent again', async () => {
    const consuming = consumer();
    answer = [];
    await consuming.onEvents(batch('7'));
    answer = undefined;
    await consuming.onEvents(batch('8'));
    expect(steps).toEqual([]);
    expect(await consuming.position()).toEqual({ after: '8' });
    expect(consuming.counters()).toMatchObject({ skipped: 1, ignored: 1, invalidations: 0 });
  });

  it('takes a batch in order, goes on in it after a failure, and commits the position that it names', async () => {
    const consuming = consumer();
    const retried = { events: [event('7'), event('8')], position: '7' };
    failures = 1;
    await expect(consuming.onEvents(retried)).rejects.toThrow('the store is away');
    await consuming.onEvents(retried);
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(steps).toEqual(['invalidating after nothing']);
    await consuming.onEvents({ events: [], position: '20' });
    await consuming.onEvents({ events: [event('21')], position: undefined });
    expect(await consuming.position()).toEqual({ after: '20' });
    expect(consuming.counters()).toMatchObject({ invalidations: 3, lastCommittedReplayId: '20' });
  });

  it('keeps its position when an unreadable event has none', async () => {
    const consuming = consumer();
    await consuming.onEvents(batch('7'));
    await consuming.onEvents(batch(undefined));
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(consuming.counters().invalidations).toBe(2);
  });

  it('drops everything that it cannot vouch for after a gap, and tells of it', async () => {
    await cache.set('things:all', 'old', { dependsOn: [record('Thing', 'all')] });
    const told: unknown[] = [];
    const consuming = consumer({ applied: async (changes) => void told.push(...changes) });
    await consuming.onGap('position-expired');
    expect(await cache.get('things:all')).toBeUndefined();
    expect(told).toEqual([
      { event: undefined, dependencies: [record('Thing', 'all')], keys: ['things:all'], isWide: false },
    ]);
  });
});

describe('for a source that lags behind its own events', () => {
  class LaggingThings extends DomainCache {
    constructor() {
      super('lagging', cache, { repeatAfterMs: [50] });
    }
    readonly subscription: Subscription = { ...subscription, domain: this };
  }
  let things: LaggingThings;

  beforeEach(() => {
    things = new LaggingThings();
  });

  it('[A3] an invalidation that was refused at first is repeated when it was acknowledged, and counted once', async () => {
    failures = 1;
    refusal = () => (failures-- > 0 ? new NotAcknowledgedError('invalidate') : undefined);
    const consuming = consumer({}, things.subscription);
    const retried = batch('7');
    await expect(consuming.onEvents(retried)).rejects.toThrow('not acknowledged');
    await consuming.onEvents(retried);
    await cache.set('things:1', 'read too early', { dependsOn: [record('Thing', '1')] });
    await eventually(async () => (await cache.get('things:1')) === undefined, { what: 'the repeat' });
    await eventually(async () => (await things.metrics()).repeatedInvalidations === 1, { what: 'its count' });
    expect(await things.metrics()).toMatchObject({ invalidations: 1, lostRepeats: 0 });
  });

  it('[A3] what a gap has dropped is dropped once more, and counts as no invalidation', async () => {
    const consuming = consumer({}, things.subscription);
    await consuming.onGap('position-expired');
    await cache.set('things:all', 'read too early', { dependsOn: [record('Thing', 'all')] });
    await eventually(async () => (await cache.get('things:all')) === undefined, { what: 'the repeat' });
    expect(await things.metrics()).toMatchObject({ invalidations: 0, lostRepeats: 0 });
  });
});

describe('the consumer whose listener takes its time', () => {
  let consuming: TopicConsumer;
  let heard: Deferred<void>;
  let told: number;

  /** Whether `work` is done before the listener is, given enough turns for everything else. */
  async function isDoneBeforeHeard(work: Promise<void>): Promise<boolean> {
    let isDone = false;
    void work.then(() => (isDone = true));
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(told).toBe(1);
    return isDone;
  }

  beforeEach(() => {
    heard = deferred();
    told = 0;
    const applied: TopicListeners['applied'] = (changes) => {
      told += changes.length;
      return heard.promise;
    };
    consuming = consumer({ applied });
  });

  it('[P19] commits when that has heard of the changes, and not before', async () => {
    const taken = consuming.onEvents(batch('7'));
    expect(await isDoneBeforeHeard(taken)).toBe(false);
    expect(await consuming.position()).toBe('latest');
    heard.resolve();
    await taken;
    expect(await consuming.position()).toEqual({ after: '7' });
  });

  it('has not dealt with a gap before that has heard of it: the events behind it wait', async () => {
    const taken = consuming.onGap('position-expired');
    expect(await isDoneBeforeHeard(taken)).toBe(false);
    heard.resolve();
    await taken;
  });

  it('has not repaired anything before that has heard of it', async () => {
    const repaired = consuming.repair([event('found')]);
    expect(await isDoneBeforeHeard(repaired)).toBe(false);
    heard.resolve();
    await repaired;
  });
});

describe('the position after a gap', () => {
  it('is not that of before, and is saved again although it has the same name', async () => {
    const consuming = consumer();
    await consuming.onEvents(batch('7'));
    await checkpoints.remove(NAME); // the store was emptied, and the stream began anew
    await consuming.onGap('no-position');
    expect(consuming.counters().lastCommittedReplayId).toBeUndefined();
    await consuming.onEvents({ events: [], position: '7' });
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(consuming.counters().lastCommittedReplayId).toBe('7');
  });
});
