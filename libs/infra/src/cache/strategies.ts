import { invalidOption } from './cache.errors.js';
import type { SlidingOptions, TtlSeconds } from './cache.types.js';

/**
 * How the entries of a bucket end: `change-driven` when the source announces a change, `ttl` after a time, `hybrid` by
 * whichever comes first, `sliding` when no caller has asked for them for a time.
 */
export type Strategy<T = unknown> =
  | { readonly kind: 'change-driven'; readonly toldBy?: readonly string[] }
  | { readonly kind: 'ttl'; readonly seconds: TtlSeconds<T> }
  | { readonly kind: 'hybrid'; readonly seconds: TtlSeconds<T> }
  | ({ readonly kind: 'sliding' } & SlidingOptions);

export interface ChangeDrivenOptions {
  /**
   * The feeds that announce the changes of these entries, named as their consumer reports them: all feeds that must be
   * followed for an entry to be right. While one of them is not followed, an entry is served up to the age
   * `feedLostMaxAgeSeconds`, if that is set. @default none: an entry is trusted for ever, even if no process follows
   * its feeds
   */
  readonly toldBy?: string | readonly string[];
}

/** No TTL: an invalidation ends the entry, as does the safety TTL (`CACHE_SAFETY_TTL_SECONDS`) if there is one. */
export function changeDriven({ toldBy }: ChangeDrivenOptions = {}): Strategy {
  if (toldBy === undefined) return { kind: 'change-driven' };
  const feeds = typeof toldBy === 'string' ? [toldBy] : [...toldBy];
  if (feeds.length === 0 || feeds.includes('')) throw invalidOption('toldBy must name the feeds, one at least');
  return { kind: 'change-driven', toldBy: feeds };
}

/**
 * Kept for at most `seconds` from the start of the fetch, for sources that announce no changes. A function decides for
 * each value; 0 or less from it means that the value is not stored.
 */
export function ttl<T = unknown>(seconds: TtlSeconds<T>): Strategy<T> {
  return { kind: 'ttl', seconds: positive(seconds) };
}

/**
 * Kept for at most `seconds`, and dropped earlier by a change event. For data whose changes are not always announced.
 */
export function hybrid<T = unknown>(seconds: TtlSeconds<T>): Strategy<T> {
  return { kind: 'hybrid', seconds: positive(seconds) };
}

/**
 * Kept while callers ask for it: until `seconds` after the last hit, but at most `absoluteSeconds` after the start of
 * its fetch, in the L1 as well. A hit moves the end only when less than half of `seconds` is left, so an entry may end
 * after half of `seconds` without a hit. Hits do not show that the value is still right: name dependencies for that.
 */
export function sliding(seconds: number, { absoluteSeconds }: Omit<SlidingOptions, 'seconds'> = {}): Strategy {
  if (absoluteSeconds !== undefined && !(absoluteSeconds >= seconds))
    throw invalidOption(`absoluteSeconds must be at least the sliding ${seconds} s, not ${absoluteSeconds}`);
  const slides = { kind: 'sliding', seconds: positive(seconds) } as const;
  return absoluteSeconds === undefined ? slides : { ...slides, absoluteSeconds: positive(absoluteSeconds) };
}

/** The options that a strategy gives to `getOrSet`. */
export function strategyOptions<T>(strategy: Strategy<T>): { ttlSeconds?: TtlSeconds<T>; sliding?: SlidingOptions } {
  if (strategy.kind === 'change-driven') return {};
  if (strategy.kind !== 'sliding') return { ttlSeconds: strategy.seconds };
  const { kind: _kind, ...slides } = strategy;
  return { sliding: slides };
}

/**
 * Maximum seconds that an entry lives by its strategy; undefined if there is no such bound, or each value has its own.
 */
export function strategySeconds<T>(strategy: Strategy<T>): number | undefined {
  if (strategy.kind === 'change-driven') return undefined;
  if (strategy.kind === 'sliding') return strategy.absoluteSeconds;
  return typeof strategy.seconds === 'number' ? strategy.seconds : undefined;
}

function positive<T extends number | ((value: never) => unknown)>(seconds: T): T {
  if (typeof seconds === 'number' && (!(seconds > 0) || !Number.isFinite(seconds)))
    throw invalidOption(`a TTL must be a positive number of seconds, not ${seconds}`);
  return seconds;
}
