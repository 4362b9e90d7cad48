import { composeCache } from '@bff/infra/cache/compose-cache';
import { record, type Dependency } from '@bff/infra/cache/dependencies';
import type { EventBatch } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Subscription } from './change-subscriber.js';
import { TopicConsumer } from './topic-consumer.js';

const TOPIC = '/event/Thing__e';
const NAME = 'org:test:/event/Thing__e';
const { cache, checkpoints } = composeCache({});
let answer: readonly Dependency[] | undefined;
let steps: string[];
let failures: number;

const subscription: Subscription = {
  name: 'thing',
  topic: TOPIC,
  everything: [record('Thing', 'all')],
  dependencies: () => answer,
  invalidate: async (dependencies) => {
    steps.push(`invalidating after ${(await checkpoints.load(NAME)) ?? 'nothing'}`);
    if (failures-- > 0) throw new Error('the store is away');
    return cache.invalidate(...dependencies);
  },
};

function event(replayId: string | undefined): SourceEvent {
  return replayId === undefined
    ? { kind: 'undecodable', topic: TOPIC, replayId, reason: 'unknown schema' }
    : { kind: 'platform', topic: TOPIC, replayId, fields: {} };
}

function batch(replayId: string | undefined): EventBatch {
  return { events: [event(replayId)], position: replayId };
}

function consumer(): TopicConsumer {
  return new TopicConsumer(TOPIC, [subscription], cache, checkpoints, () => Promise.resolve(NAME));
}

beforeEach(() => {
  answer = [record('Thing', '1')];
  steps = [];
  failures = 0;
});
afterEach(() => checkpoints.remove(NAME));

describe('the consumer of a topic', () => {
  it('commits a replay id only after the invalidation (P16)', async () => {
    const consuming = consumer();
    expect(await consuming.position()).toBe('latest');
    await consuming.onEvents(batch('7'));
    await consuming.onEvents(batch('8'));
    expect(steps).toEqual(['invalidating after nothing', 'invalidating after 7']);
    expect(await consuming.position()).toEqual({ after: '8' });
    expect(consuming.counters()).toMatchObject({ invalidations: 2, lastCommittedReplayId: '8' });
  });

  it('rejects and commits nothing when the invalidation was not acknowledged, and succeeds when tried again (P17)', async () => {
    failures = 1;
    const consuming = consumer();
    await expect(consuming.onEvents(batch('7'))).rejects.toThrow('the store is away');
    expect(await consuming.position()).toBe('latest');
    await consuming.onEvents(batch('7'));
    expect(await consuming.position()).toEqual({ after: '7' });
    expect(consuming.counters()).toMatchObject({ invalidations: 1, skipped: 0 });
  });

  it('counts an event once, however often it is retried (P23)', async () => {
    failures = 1;
    const consuming = consumer();
    const retried = batch('7');
    await cache.set('things:1', 'old', { dependsOn: [record('Thing', '1')] });
    await expect(consuming.onEvents(retried)).rejects.toThrow('the store is away');
    await consuming.onEvents(retried);
    expect(await cache.get('things:1')).toBeUndefined();
    expect(steps).toHaveLength(1);
    expect(consuming.counters()).toMatchObject({ invalidations: 1, lastCommittedReplayId: '7' });
  });

  it('tells of an event once, with the keys that fell, after its invalidation and before its commit (P19)', async () => {
    const told: unknown[] = [];
    let attempts = 0;
    const consuming = new TopicConsumer(
      TOPIC,
      [subscription],
      cache,
      checkpoints,
      () => (attempts++ === 0 ? Promise.reject(new Error('the org is away')) : Promise.resolve(NAME)),
      async (changes) => {
        told.push(...changes.map(({ keys, isWide }) => ({ keys, isWide })));
        steps.push(`telling after ${(await checkpoints.load(NAME)) ?? 'nothing'}`);
        expect(await cache.get('things:1')).toBeUndefined();
      },
    );
    const retried = batch('7');
    await cache.set('things:1', 'old', { dependsOn: [record('Thing', '1')] });
    await expect(consuming.onEvents(retried)).rejects.toThrow('the org is away');
    await consuming.onEvents(retried);
    expect(steps).toEqual(['invalidating after nothing', 'telling after nothing']);
    expect(told).toEqual([{ keys: ['things:1'], isWide: false }]);
  });

  it('tells of what was acknowledged although a later event was not, and that keys of a retried one may be missing', async () => {
    const told: unknown[] = [];
    let calls = 0;
    const failing: Subscription = {
      ...subscription,
      invalidate: (given) => (++calls === 2 ? Promise.reject(new Error('no answer')) : cache.invalidate(...given)),
    };
    const name = () => Promise.resolve(NAME);
    const consuming = new TopicConsumer(TOPIC, [failing], cache, checkpoints, name, async (changes) => {
      told.push(...changes.map(({ event: { replayId } = {}, isWide }) => ({ replayId, isWide })));
    });
    const retried: EventBatch = { events: [event('7'), event('8')], position: '8' };
    await expect(consuming.onEvents(retried)).rejects.toThrow('no answer');
    expect(told).toEqual([{ replayId: '7', isWide: false }]);
    await consuming.onEvents(retried);
    expect(told).toEqual([
      { replayId: '7', isWide: false },
      { replayId: '8', isWide: true },
    ]);
  });

  it('does not repeat what was acknowledged when only the commit failed', async () => {
    let attempts = 0;
    const consuming = new TopicConsumer(TOPIC, [subscription], cache, checkpoints, () =>
      attempts++ === 0 ? Promise.reject(new Error('the org is away')) : Promise.resolve(NAME),
    );
    const retried = batch('7');
    await expect(consuming.onEvents(retried)).rejects.toThrow('the org is away');
    await consuming.onEvents(retried);
    expect(steps).toHaveLength(1);
    expect(consuming.counters()).toMatchObject({ invalidations: 1, skipped: 0, lastCommittedReplayId: '7' });
  });

  it('takes an event that comes twice (P15)', async () => {
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
    expect(steps).toEqual(['invalidating after nothing', 'invalidating after nothing']);
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
    const name = () => Promise.resolve(NAME);
    const consuming = new TopicConsumer(TOPIC, [subscription], cache, checkpoints, name, async (changes) => {
      told.push(...changes);
    });
    await consuming.onGap('position-expired');
    expect(await cache.get('things:all')).toBeUndefined();
    expect(told).toEqual([
      { event: undefined, dependencies: [record('Thing', 'all')], keys: ['things:all'], isWide: false },
    ]);
  });
});
