import { CacheError } from './cache.errors.js';

/** The least and the most that a number may be. */
export type Limits = readonly [least: number, most: number];

/** Ten minutes is longer than anything that a page waits for; nothing can be set to wait without end. */
export const WAIT_MS: Limits = [0, 600_000];
export const LEASE_MS: Limits = [10, 600_000];
/** Five minutes is longer than any fetch that a page waits for. After it nobody waits for a build any more. */
export const FETCH_MS: Limits = [1, 300_000];
/** At most half: an entry is to live about as long as was said. */
export const TTL_JITTER: Limits = [0, 0.5];
/** Not so early that every hit refreshes, and not so late that there is no time left for it. */
export const REFRESH_AHEAD: Limits = [0.1, 0.99];
/** A week: what is older helps nobody, and its copies take memory. */
export const STALE_SECONDS: Limits = [0, 604_800];
/** 30 days: an entry without a TTL is kept no longer unless the operator says so. 0: only a fetch that is yet to begin will do. */
export const MAX_AGE_SECONDS: Limits = [0, 2_592_000];
/** Likewise; within a tenth of a second no consumer can say how far it has followed. */
export const FEED_LOST_SECONDS: Limits = [0.1, 2_592_000];
/** A day: what was read longer ago is not worth asking the source for. */
export const RECENT_SECONDS: Limits = [1, 86_400];
/** From one fetch in a hundred seconds to more than any source of ours can bear. */
export const FETCHES_PER_SECOND: Limits = [0.01, 1000];

/** The number itself if it lies within its limits; else `CACHE_INVALID_OPTION`. */
export function within(name: string, value: number, [least, most]: Limits): number {
  if (value >= least && value <= most) return value;
  throw new CacheError('CACHE_INVALID_OPTION', `${name} must be between ${least} and ${most}, not ${value}`, false);
}

/** Likewise, and it must be a whole number. */
export function wholeWithin(name: string, value: number, limits: Limits): number {
  if (Number.isInteger(within(name, value, limits))) return value;
  throw new CacheError('CACHE_INVALID_OPTION', `${name} must be a whole number, not ${value}`, false);
}

/** Milliseconds of a TTL given in seconds; undefined stays undefined: no TTL. */
export function ttlMs(seconds: number | undefined, name = 'ttlSeconds'): number | undefined {
  if (seconds === undefined) return undefined;
  if (Number.isFinite(seconds) && seconds > 0) return Math.ceil(seconds * 1000);
  const advice = `${name} must be a positive number, not ${seconds}; leave it out for none`;
  throw new CacheError('CACHE_INVALID_OPTION', advice, false);
}
