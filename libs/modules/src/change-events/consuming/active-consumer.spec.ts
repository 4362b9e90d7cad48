import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import type { ConsumerTerm } from '@bff/infra/fleet/consumer-leases';
import { MemoryConsumerLeases } from '@bff/infra/fleet/memory/memory-consumer-leases';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ActiveConsumer } from './active-consumer.js';

const TIMES = { leaseMs: 3_000, beatMs: 750, standByMs: 500 };

/** Leases by the test's clock; the store can be made unavailable. */
class Leases extends MemoryConsumerLeases {
  isAway = false;

  override async acquire(...given: Parameters<MemoryConsumerLeases['acquire']>) {
    this.answer();
    return super.acquire(...given);
  }

  override async renew(...given: Parameters<MemoryConsumerLeases['renew']>) {
    this.answer();
    return super.renew(...given);
  }

  private answer(): void {
    if (this.isAway) throw new StoreUnavailableError('the connection is closed');
  }
}

let leases: Leases;
let consumers: Consumer[];

/** A process that may be active; it records its steps. */
class Consumer {
  readonly steps: string[] = [];
  readonly active: ActiveConsumer;
  ages = new Map<string, number>();

  constructor(given: Leases = leases, failures = 0) {
    const start = async () => {
      this.steps.push('start');
      if (failures-- > 0) throw new Error('no such channel');
    };
    const stop = async () => void this.steps.push('stop');
    this.active = new ActiveConsumer('events', given, { start, stop, feedAges: () => this.ages }, TIMES);
    consumers.push(this);
    this.active.start();
  }
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
  leases = new Leases(() => Date.now());
  consumers = [];
});
afterEach(async () => {
  leases.isAway = false;
  await Promise.all(consumers.map(({ active }) => active.stop()));
  jest.useRealTimers();
});

describe('of several processes', () => {
  it('one consumes, and another takes over within seconds when it is not heard of any more', async () => {
    const cutOff = new Leases(() => Date.now());
    const first = new Consumer();
    await pass(0);
    const second = new Consumer();
    await pass(20_000);
    expect([first.active.role, second.active.role]).toEqual(['active', 'stand-by']);
    expect(second.steps).toEqual([]);
    Object.assign(first.active, { leases: cutOff }); // it is cut off, and still believes in its term
    cutOff.isAway = true;
    await pass(TIMES.leaseMs + TIMES.standByMs);
    expect(second.active.role).toBe('active');
    expect(second.steps).toEqual(['start']);
    expect(first.steps).toEqual(['start']);
    Object.assign(first.active, { leases }); // it reaches the store again, and learns of the other
    await pass(TIMES.beatMs);
    expect(first.active.role).toBe('stand-by');
    expect(first.active.term).toBeUndefined();
    expect(first.steps).toEqual(['start', 'stop']);
  });

  it('another takes over at once when the active one ends', async () => {
    const first = new Consumer();
    await pass(0);
    const second = new Consumer();
    await pass(1_000);
    await first.active.stop();
    await pass(TIMES.standByMs);
    expect(second.active.role).toBe('active');
    expect(first.active.role).toBe('stopped');
    expect(first.steps).toEqual(['start', 'stop']);
  });
});

describe('the active process', () => {
  it('goes on while the store is away, and under a new term when nobody else took over', async () => {
    const only = new Consumer();
    await pass(1_000);
    const term = only.active.term as ConsumerTerm;
    leases.isAway = true;
    await pass(60_000);
    expect(only.active.role).toBe('active');
    leases.isAway = false;
    await pass(TIMES.beatMs);
    expect(only.active.term?.fence).toBeGreaterThan(term.fence);
    expect(only.steps).toEqual(['start']);
  });

  it('says with every beat how far it has followed the feeds', async () => {
    const only = new Consumer();
    only.ages.set('Order', 0);
    await pass(5_000);
    expect((await leases.feedAges()).get('Order')).toBeLessThanOrEqual(TIMES.beatMs);
    only.ages.set('Order', 40_000);
    await pass(TIMES.beatMs);
    expect((await leases.feedAges()).get('Order')).toBeGreaterThanOrEqual(40_000);
  });

  it('gives way when its work does not start, and tries again when nobody else has', async () => {
    const failing = new Consumer(leases, 2);
    await pass(0);
    const other = new Consumer();
    await pass(TIMES.beatMs + TIMES.standByMs);
    expect([failing.active.role, other.active.role]).toEqual(['stand-by', 'active']);
    expect(failing.steps).toEqual(['start', 'stop']);
    await other.active.stop();
    await pass(20_000);
    expect(failing.steps).toEqual(['start', 'stop', 'start', 'stop', 'start']);
    expect(failing.active.role).toBe('active');
  });

  it('frees the lease at once when it ends, however long its work takes to stop', async () => {
    const slow = new Consumer();
    await pass(0);
    let stop: () => void = () => undefined;
    Object.assign(slow.active, { work: { stop: () => new Promise<void>((resolve) => (stop = resolve)) } });
    const stopped = slow.active.stop();
    const next = new Consumer();
    await pass(TIMES.standByMs);
    expect(next.active.role).toBe('active');
    stop();
    await stopped;
  });

  it('frees the lease although its work does not stop as it should', async () => {
    const broken = new Consumer();
    await pass(0);
    Object.assign(broken.active, { work: { stop: () => Promise.reject(new Error('it is stuck')) } });
    await broken.active.stop();
    expect(await leases.holder('events')).toBeUndefined();
  });

  it('waits for a store that is away when it begins', async () => {
    leases.isAway = true;
    const only = new Consumer();
    await pass(10_000);
    expect(only.active.role).toBe('stand-by');
    leases.isAway = false;
    await pass(TIMES.standByMs);
    expect(only.active.role).toBe('active');
  });
});
