import { describe, expect, it } from '@jest/globals';
import { StoreUnavailableError } from '../cache.errors.js';
import type { CountedDomain, CounterReports, DomainMetrics } from '../cache.types.js';
import { emptyBucketMetrics } from './bucket-metrics.js';
import { DomainBoard } from './domain-board.js';

class FakeReports implements CounterReports {
  failure: Error | undefined;
  constructor(
    private readonly contents: readonly unknown[],
    private readonly ended: readonly unknown[] = [],
  ) {}
  publishCounters(): void {}
  async readCounters() {
    if (this.failure) throw this.failure;
    const reports = (contents: readonly unknown[]) => contents.map((content) => ({ content }));
    return { live: reports(this.contents), ended: reports(this.ended) };
  }
}

const metrics = (hits: number, bypassed = 0): DomainMetrics => ({
  buckets: { list: { ...emptyBucketMetrics(), hits, bypassed } },
  invalidations: 1,
  repeatedInvalidations: 0,
  lostRepeats: 0,
});

const domain = (name: string): CountedDomain => ({
  domain: name,
  metrics: () => Promise.reject(new Error('nobody asks it')),
  ttlSeconds: () => ({}),
});

describe('the counters of a domain', () => {
  it('are summed over all processes, also those that have fewer counters', async () => {
    const older = { buckets: { list: { hits: 5 } }, invalidations: 2 };
    const total = await new DomainBoard(new FakeReports([metrics(3), older])).total('orders');
    expect(total).toMatchObject({ processes: 2, invalidations: 3, repeatedInvalidations: 0 });
    expect(total.buckets['list']).toEqual({ ...emptyBucketMetrics(), hits: 8 });
    expect(total.reason).toBeUndefined();
  });

  it('[N9] include what processes that have ended have counted, and count the live ones', async () => {
    const total = await new DomainBoard(new FakeReports([metrics(3)], [metrics(40), metrics(200)])).total('orders');
    expect(total).toMatchObject({ processes: 1, invalidations: 3, buckets: { list: { hits: 243 } } });
  });

  it('are those of this process alone where no fleet adds them up', async () => {
    const board = new DomainBoard();
    board.register(domain('orders'), () => metrics(3));
    expect(await board.total('orders')).toMatchObject({ processes: 1, buckets: { list: { hits: 3 } } });
    expect(await board.total('unknown')).toMatchObject({ processes: 0, buckets: {} });
  });

  it('are those of this process, and say why, while the store is away', async () => {
    const reports = new FakeReports([]);
    const board = new DomainBoard(reports);
    board.register(domain('orders'), () => metrics(3, 7));
    reports.failure = new StoreUnavailableError('ECONNREFUSED');
    const total = await board.total('orders');
    expect(total).toMatchObject({ processes: 1, buckets: { list: { hits: 3, bypassed: 7 } } });
    expect(total.reason).toMatch(/this process alone: .*ECONNREFUSED/);
    expect(await board.total('unknown')).toMatchObject({ processes: 0, buckets: {} });
    reports.failure = new TypeError('ours');
    await expect(board.total('orders')).rejects.toThrow('ours');
  });
});
