import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import { MemoryCheckpoints } from '@bff/infra/fleet/memory/memory-checkpoints';
import { MemoryConsumerLeases } from '@bff/infra/fleet/memory/memory-consumer-leases';
import { loadConfig } from '../../config/load-config.js';
import {
  ChangeEventSource,
  type StartPosition,
  type TopicHandler,
  type TopicHealth,
  unheardTopic,
} from '@bff/integrations/salesforce/events/change-event-source';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { changeEvent } from '../../../../../test/support/change-event.js';
import { deferred } from '../../../../../test/support/deferred.js';
import { CONSUMER_TIMES } from './active-consumer.js';
import { AppliedChangeListener } from '../applied-change.js';
import { ChangeEventConsumer } from './change-event-consumer.js';
import { ChangeSubscriber, type Subscription } from '../change-subscriber.js';
import { CONSUMER } from '../events-report.js';

const TOPIC = '/event/Thing__e';
const THING = record('Thing', '1');
const SAVED_AS = `00D000000000001AAA:handed:${TOPIC}`;
const { reports } = createFleet();
const cache = composeCache({ reports });

/** A source whose events the test delivers itself. */
class HandedSource extends ChangeEventSource {
  readonly transport = 'handed';
  topics: ReadonlyMap<string, TopicHandler> = new Map();
  position: (topic: string) => Promise<StartPosition> = () => Promise.resolve('latest');
  /** What the test sets in the health of a topic; the rest is from `unheardTopic`. */
  said: Record<string, Partial<TopicHealth>> = {};

  async start(topics: HandedSource['topics'], position: HandedSource['position']): Promise<void> {
    Object.assign(this, { topics, position });
  }

  async stop(): Promise<void> {}

  health(): TopicHealth[] {
    return Object.entries(this.said).map(([topic, said]) => ({ ...unheardTopic(topic, this.transport), ...said }));
  }

  async hand(replayId: string): Promise<void> {
    const events = [{ kind: 'platform', topic: TOPIC, replayId, fields: {} }] as const;
    await this.topics.get(TOPIC)?.onEvents({ events, position: replayId });
  }
}

class Things extends ChangeSubscriber {
  readonly subscriptions: Subscription[];

  /** `names`: those of the subscriptions, by topic. */
  constructor(names: Record<string, readonly string[]> = { [TOPIC]: ['thing'] }) {
    super();
    this.subscriptions = Object.entries(names).flatMap(([topic, each]) =>
      each.map((name) => ({
        name,
        topic,
        everything: [THING],
        dependencies: () => [THING],
        domain: { noteInvalidated: () => undefined },
      })),
    );
  }
}

class Listener extends AppliedChangeListener {
  constructor(readonly onApplied: AppliedChangeListener['onApplied']) {
    super();
  }
}

/** The store's time. The processes' timers are fake, so no process beats unless the test advances them. */
let now: number;
let leases: MemoryConsumerLeases;
let checkpoints: MemoryCheckpoints;
let started: ChangeEventConsumer[];
let reconcileSeconds: string;
/** The org's answer to the query for changed rows. */
let rows: object[];

/** A process that would consume; without given providers it has one subscriber. */
async function startProcess(...providers: object[]): Promise<HandedSource> {
  const source = new HandedSource();
  const instances = providers.length > 0 ? providers : [new Things()];
  const consumer = new ChangeEventConsumer(
    { getProviders: () => instances.map((instance) => ({ instance })) } as unknown as DiscoveryService,
    source,
    { organizationId: async () => '00D000000000001AAA', query: async () => rows } as unknown as SalesforceClient,
    cache,
    checkpoints,
    leases,
    reports,
    loadConfig({ NODE_ENV: 'test', SF_RECONCILE_SECONDS: reconcileSeconds }),
  );
  started.push(consumer);
  consumer.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(0);
  return source;
}

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
  now = 0;
  leases = new MemoryConsumerLeases(() => now);
  checkpoints = new MemoryCheckpoints(leases);
  started = [];
  reconcileSeconds = '0';
  rows = [];
});
afterEach(async () => {
  await Promise.all(started.map((each) => each.onModuleDestroy()));
  jest.useRealTimers();
});

describe('a process that was taken for dead', () => {
  let paused: HandedSource;
  let successor: HandedSource;

  beforeEach(async () => {
    paused = await startProcess();
    await paused.hand('7');
    now += CONSUMER_TIMES.leaseMs;
    successor = await startProcess();
  });

  it('is followed by one that goes on after its position, and moves it under a term of its own', async () => {
    expect(started.map((each) => each.report().role)).toEqual(['active', 'active']); // the first does not know yet
    expect(await successor.position(TOPIC)).toEqual({ after: '7' });
    await successor.hand('8');
    expect(await checkpoints.load(SAVED_AS)).toBe('8');
  });

  it('cannot save a position, neither before the next one has saved one nor after, and invalidates all the same', async () => {
    await cache.set('things:1', 'old', { dependsOn: [THING] });
    await expect(paused.hand('9')).rejects.toMatchObject({ code: 'CACHE_TERM_OVER' });
    expect(await cache.get('things:1')).toBeUndefined();
    expect(await checkpoints.load(SAVED_AS)).toBe('7');
    await successor.hand('8');
    await expect(paused.hand('9')).rejects.toMatchObject({ code: 'CACHE_TERM_OVER' });
    expect(await checkpoints.load(SAVED_AS)).toBe('8');
  });

  it('cannot save a position either when it has learned of it, and stands by', async () => {
    await jest.advanceTimersByTimeAsync(CONSUMER_TIMES.beatMs);
    expect(started.map((each) => each.report().role)).toEqual(['stand-by', 'active']);
    await expect(paused.hand('9')).rejects.toMatchObject({ code: 'CACHE_TERM_OVER' });
    expect(await checkpoints.load(SAVED_AS)).toBe('7');
  });

  it('cannot save a position after the next one has given the lease back', async () => {
    await successor.hand('8');
    await started[1]?.onModuleDestroy();
    expect(await leases.holder(CONSUMER)).toBeUndefined();
    await expect(paused.hand('9')).rejects.toMatchObject({ code: 'CACHE_TERM_OVER' });
    expect(await checkpoints.load(SAVED_AS)).toBe('8');
  });
});

describe('a position', () => {
  it('[P19] is saved after every listener of the application has answered, and not before', async () => {
    const slow = deferred();
    const told: string[] = [];
    const quick = new Listener(async () => void told.push('quick'));
    const waiting = new Listener(async () => {
      await slow.promise;
      told.push('slow');
    });
    const source = await startProcess(new Things(), quick, waiting);
    const taken = source.hand('7');
    await jest.advanceTimersByTimeAsync(100);
    expect(told).toEqual(['quick']);
    expect(await checkpoints.load(SAVED_AS)).toBeUndefined();
    slow.resolve();
    await taken;
    expect(told).toEqual(['quick', 'slow']);
    expect(await checkpoints.load(SAVED_AS)).toBe('7');
  });

  it('[P19] is saved when a listener keeps failing, and the others have heard of the change', async () => {
    const told: string[] = [];
    const broken = new Listener(() => {
      throw new Error('a defect');
    });
    const source = await startProcess(new Things(), broken, new Listener(async () => void told.push('other')));
    for (let time = 0; time < 2; time++) await expect(source.hand('7')).rejects.toThrow('a defect');
    expect(told).toEqual(['other', 'other']);
    expect(await checkpoints.load(SAVED_AS)).toBeUndefined();
    await source.hand('7');
    expect(told).toHaveLength(3);
    expect(await checkpoints.load(SAVED_AS)).toBe('7');
  });
});

describe('of each feed it is said', () => {
  const [ORDERS, SHARED, OTHERS] = ['/data/OrderChangeEvent', '/data/Shared__chn', '/data/OtherChangeEvent'];
  const FEEDS = { [ORDERS]: ['Order'], [SHARED]: ['Order', 'Product2', 'Account'], [OTHERS]: ['Other'] };

  /** The feed ages in the store after one beat. */
  async function agesBy(said: HandedSource['said']): Promise<Record<string, number>> {
    const source = await startProcess(new Things(FEEDS));
    source.said = said;
    await jest.advanceTimersByTimeAsync(CONSUMER_TIMES.beatMs);
    return Object.fromEntries(await leases.feedAges());
  }

  it('how far it has followed the topic that is the furthest behind', async () => {
    const said = { [ORDERS]: { behindMs: 4_000 }, [SHARED]: { behindMs: 10 }, [OTHERS]: { behindMs: 0 } };
    expect(await agesBy(said)).toEqual({ Order: 4_000, Product2: 10, Account: 10, Other: 0 });
  });

  it('nothing when one of its topics was never followed, or the integration user may not read it', async () => {
    const said = { [ORDERS]: { behindMs: undefined }, [SHARED]: { behindMs: 10, unreadable: ['Account'] } };
    expect(await agesBy(said)).toEqual({ Product2: 10 });
  });
});

describe('what has changed by the account of the org', () => {
  const ORDERS = '/data/OrderChangeEvent';
  const BEGUN = '2026-11-21T10:00:00.000Z';
  const CHANGED = '2026-11-21T10:00:05.000Z';
  const event = changeEvent({ commitTimestamp: Date.parse(CHANGED) });
  let source: HandedSource;

  beforeEach(async () => {
    reconcileSeconds = '300';
    await checkpoints.save('00D000000000001AAA:reconciled:Order', BEGUN);
    const things = new Things({ [ORDERS]: ['Order'] });
    const orders = { ...things.subscriptions[0], table: 'Order' };
    source = await startProcess(Object.assign(things, { subscriptions: [orders] }));
    source.said = { [ORDERS]: { state: 'live', behindMs: 0 } };
    await jest.advanceTimersByTimeAsync(100_000); // until the reconciler's first look is over
    rows = [{ Id: event.recordIds[0], IsDeleted: false, CreatedDate: BEGUN, SystemModstamp: CHANGED }];
  });

  async function missed(): Promise<number | undefined> {
    await jest.advanceTimersByTimeAsync(300_000);
    return started[0]?.report().reconciler?.missed;
  }

  it('counts as missed when the stream is caught up and did not tell of it, and falls', async () => {
    await cache.set('things:1', 'old', { dependsOn: [THING] });
    expect(await missed()).toBe(1);
    expect(await cache.get('things:1')).toBeUndefined();
  });

  it('is not missed when the stream told of it', async () => {
    await source.topics.get(ORDERS)?.onEvents({ events: [event], position: '1' });
    expect(await missed()).toBe(0);
  });

  it('is not missed when a gap came after it: everything was dropped', async () => {
    await source.topics.get(ORDERS)?.onGap('position-expired');
    expect(await missed()).toBe(0);
  });

  it.each<[string, Partial<TopicHealth>]>([
    ['is lost', { state: 'lost', behindMs: 0 }],
    ['is behind', { state: 'live', behindMs: 1_000 }],
    ['has events that wait', { state: 'live', behindMs: 0, waiting: 1 }],
    ['was never followed', { state: 'live' }],
  ])('is not missed while the stream %s: it may still come', async (_, said) => {
    source.said = { [ORDERS]: said };
    expect(await missed()).toBe(0);
  });
});
