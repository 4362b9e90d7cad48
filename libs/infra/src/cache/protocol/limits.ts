import { invalidOption } from '../cache.errors.js';

/** The least and the most that a number may be, both allowed. */
export type Limits = readonly [least: number, most: number];

/**
 * Limits of a wait, in milliseconds. Ten minutes is longer than anything that a page waits for; no wait can be endless.
 */
export const WAIT_MS: Limits = [0, 600_000];
export const LEASE_MS: Limits = [10, 600_000];
/**
 * Limits of the time of a fetch, in milliseconds. Five minutes is longer than any fetch that a page waits for; a build
 * that takes longer loses its key.
 */
export const FETCH_MS: Limits = [1, 300_000];
/** Limits of `ttlJitter`: at most half, so that an entry lives about as long as its TTL says. */
export const TTL_JITTER: Limits = [0, 0.5];
/**
 * Limits of `refreshAhead`. Below them nearly every hit would refresh; above them no time would be left for the build.
 */
export const REFRESH_AHEAD: Limits = [0.1, 0.99];
/**
 * Limits of the time after its end in which a value may be served. A week: older values help nobody, and their copies
 * take memory.
 */
export const STALE_SECONDS: Limits = [0, 604_800];
/**
 * Limits of `maxAgeSeconds`. The most is 30 days, for which Redis keeps an entry by default; 0 accepts only a fetch
 * that has not begun.
 */
export const MAX_AGE_SECONDS: Limits = [0, 2_592_000];
/**
 * Limits of `feedLostMaxAgeSeconds`. The most is 30 days as well; within less than a tenth of a second no consumer can
 * say how far it has followed.
 */
export const FEED_LOST_SECONDS: Limits = [0.1, 2_592_000];
/** Limits of `rehydrate.recentSeconds`. A day: an entry that was read longer ago is not worth a fetch. */
export const RECENT_SECONDS: Limits = [1, 86_400];
/** Limits of `rehydrate.perSecond`: from one fetch in a hundred seconds to more than any of our sources can bear. */
export const FETCHES_PER_SECOND: Limits = [0.01, 1000];

/** Maximum ids of one `getMany`. More would hold up the other reads of the process; a caller asks in parts. */
export const IDS_MAX = 1000;
/** Maximum ids of one call of `loadMany`: what one query of a source can name. More become several calls. */
export const IDS_PER_CALL_MAX = 200;

/** Returns the number if it lies within its limits; else throws `CACHE_INVALID_OPTION`. */
export function within(name: string, value: number, [least, most]: Limits): number {
  if (value >= least && value <= most) return value;
  throw invalidOption(`${name} must be between ${least} and ${most}, not ${value}`);
}

/** Like `within`, and the number must be whole. */
export function wholeWithin(name: string, value: number, limits: Limits): number {
  if (Number.isInteger(within(name, value, limits))) return value;
  throw invalidOption(`${name} must be a whole number, not ${value}`);
}

/**
 * Converts a TTL from seconds to milliseconds, rounded up. Undefined (no TTL) stays undefined. Throws
 * `CACHE_INVALID_OPTION` for a number that is not positive and finite.
 */
export function ttlMs(seconds: number | undefined, name = 'ttlSeconds'): number | undefined {
  if (seconds === undefined) return undefined;
  if (Number.isFinite(seconds) && seconds > 0) return Math.ceil(seconds * 1000);
  const advice = `${name} must be a positive number, not ${seconds}; leave it out for none`;
  throw invalidOption(advice);
}
