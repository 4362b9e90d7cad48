import type { BackgroundEvent, CacheBucketMetrics, ReadOutcome } from '../cache.types.js';

/** Counters of a bucket, all zero. */
export function emptyBucketMetrics(): CacheBucketMetrics {
  return {
    hits: 0,
    misses: 0,
    coalesced: 0,
    bypassed: 0,
    errors: 0,
    stale: 0,
    tooOld: 0,
    folded: 0,
    reshaped: 0,
    refreshes: 0,
    rehydrations: 0,
    backgroundFailures: 0,
  };
}

/** Adds `counters` to `sum`. An older process has fewer counters; the missing ones count as zero. */
export function addBucketMetrics(sum: CacheBucketMetrics, counters: Partial<CacheBucketMetrics>): void {
  for (const name of Object.keys(sum) as (keyof CacheBucketMetrics)[]) sum[name] += counters[name] ?? 0;
}

/** The counter of callers that were answered so. */
export const OUTCOME_COUNTER: Readonly<Record<ReadOutcome, keyof CacheBucketMetrics>> = {
  hit: 'hits',
  miss: 'misses',
  coalesced: 'coalesced',
  bypass: 'bypassed',
  stale: 'stale',
};

/** The counter of work that no caller waited for. */
export const BACKGROUND_COUNTER: Readonly<Record<BackgroundEvent, keyof CacheBucketMetrics>> = {
  refreshed: 'refreshes',
  rehydrated: 'rehydrations',
  failed: 'backgroundFailures',
};
