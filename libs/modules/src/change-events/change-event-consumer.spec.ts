import { composeCache } from '@bff/infra/cache/compose-cache';
import { record } from '@bff/infra/cache/dependencies';
import { MemoryCheckpoints } from '@bff/infra/cache/store/memory/memory-checkpoints';
import { MemoryConsumerLeases } from '@bff/infra/cache/store/memory/memory-consumer-leases';
import { loadConfig } from '@bff/infra/config/load-config';
import {
  ChangeEventSource,
  type StartPosition,
  type TopicHandler,
} from '@bff/integrations/salesforce/events/change-event-source';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { CONSUMER_TIMES } from './active-consumer.js';
import { ChangeEventConsumer } from './change-event-consumer.js';
import { ChangeSubscriber } from './change-subscriber.js';
import { CONSUMER } from './events-report.js';

const TOPIC = '/event/Thing__e';
const THING = record('Thing', '1');
const SAVED_AS = `00D000000000001AAA:handed:${TOPIC}`;
const { cache, reports } = composeCache({});

/** A stream that the test hands on itself. */
class HandedSource extends ChangeEventSource {
  readonly transport = 'handed';
  topics: ReadonlyMap<string, TopicHandler> = new Map();
  position: (topic: string) => Promise<StartPosition> = () => Promise.resolve('latest');

  async start(topics: HandedSource['topics'], position: HandedSource['position']): Promise<void> {
    Object.assign(this, { topics, position });
  }

  async stop(): Promise<void> {}

  health(): [] {
    return [];
  }

  async hand(replayId: string): Promise<void> {
    const events = [{ kind: 'platform', topic: TOPIC, replayId, fields: {} }] as const;
    await this.topics.get(TOPIC)?.onEvents({ events, position: replayId });
  }
}

class Things extends ChangeSubscriber {
  readonly subscriptions = [
    {
      name: 'thing',
      topic: TOPIC,
      everything: [THING],
      dependencies: () => [THING],
      invalidate: () => cache.invalidate(THING),
    },
  ];
}

/** By the store's clock; that of the processes stands still, so nobody beats unless the test says so. */
let now: number;
let leases: MemoryConsumerLeases;
let checkpoints: MemoryCheckpoints;
let started: ChangeEventConsumer[];

/** A process that would consume. */
async function startProcess(): Promise<HandedSource> {
  const source = new HandedSource();
  const consumer = new ChangeEventConsumer(
    { getProviders: () => [{ instance: new Things() }] } as unknown as DiscoveryService,
    source,
    { organizationId: async () => '00D000000000001AAA' } as SalesforceClient,
    cache,
    checkpoints,
    leases,
    reports,
    loadConfig({ NODE_ENV: 'test', SF_RECONCILE_SECONDS: '0' }),
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
    expect(started.map((each) => each.report().role)).toEqual(['active', 'active']); // the first does not know
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
