import { describe, expect, it } from '@jest/globals';
import type { TakeoverOutcome } from './modes/takeovers.js';
import { readOptions } from './options.js';
import { latencyReport, quantile, reportText, takeoverReport } from './report.js';

const takeover: TakeoverOutcome = {
  transport: 'pubsub',
  takeoverMs: [3_000, 2_000, 4_000],
  leaseMs: [2_900],
  ofLeader: 3,
  compared: 100,
  mismatches: [],
  writes: 1,
  reads: 1,
  failures: [],
};
const latency = {
  transport: 'pubsub',
  seconds: 1,
  changesPerSecond: 200,
  backgroundReadsPerSecond: 80,
  failedChanges: 0,
};

describe('a report', () => {
  it('is without violations when everything held', () => {
    expect(takeoverReport(takeover).violations).toEqual([]);
    const quick = { ...latency, newValueMs: [1, 2, 3], oldValueMs: [0], givenUp: 0 } as const;
    expect(latencyReport({ ...quick, transport: 'pubsub' }).violations).toEqual([]);
  });

  it('names every mismatch, and how to do the same again', () => {
    const report = takeoverReport({ ...takeover, mismatches: ['a page'], failures: ['a process ended'] });
    expect(report.violations).toEqual(['a process ended', 'MISMATCH a page']);
    expect(reportText(readOptions(['--seed=7', '--kills=3']), [report])).toContain('--seed=7 --kills=3');
  });

  it('holds the time to "unservable" against its targets', () => {
    const slow = { ...latency, newValueMs: [10, 30, 200], oldValueMs: [0], givenUp: 1 } as const;
    expect(latencyReport({ ...slow, transport: 'pubsub' }).violations).toEqual([
      '1 changes were not seen at all',
      'p50 is 30 ms, more than 25 ms',
      'p99 is 200 ms, more than 150 ms',
    ]);
  });

  it('takes quantiles of sorted values', () => {
    expect([quantile([], 0.5), quantile([1, 2, 3], 0.5), quantile([1, 2, 3], 1)]).toEqual([0, 2, 3]);
  });
});
