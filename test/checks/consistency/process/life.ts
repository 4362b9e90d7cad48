import type { GetOrSetOptions } from '@bff/infra/cache/cache.types';
import type { Key } from '../source/universe.js';
import type { CachedValue } from './cached-value.js';

/** How long the value of a build is kept, as the caller requests it. */
export interface Life {
  /** Milliseconds; 0: until it is invalidated. */
  readonly ttlMs: number;
  /** Fraction of the TTL by which the cache may shorten it at random. */
  readonly jitter?: number;
  /** Lifetime of `null` in milliseconds, where the source may answer `null`. */
  readonly negativeMs?: number;
}

/** Longest life of a negative answer. */
export const NEGATIVE_MS = 400;
/** Lives of one key differ from caller to caller, so that a later end does not mean a newer value. */
const PLAIN: readonly Life[] = [{ ttlMs: 3_600_000 }, { ttlMs: 5_000, jitter: 0.5 }];
const REBUILT: readonly Life[] = [
  { ttlMs: 0 },
  { ttlMs: 60_000 },
  { ttlMs: 3_600_000 },
  { ttlMs: 3_600_000, jitter: 0.5 },
  { ttlMs: 400 },
  { ttlMs: 0, negativeMs: NEGATIVE_MS },
];
const PLAIN_SHARE = 0.15;

/**
 * The life that one call requests. Keys with a TTL of their own use it in every call, so that their end can be judged.
 */
export function chooseLife({ ttlMs }: Key, isRebuilding: boolean, random: () => number): Life {
  if (ttlMs !== undefined) return { ttlMs };
  if (!isRebuilding && random() >= PLAIN_SHARE) return { ttlMs: 0 };
  const lives = isRebuilding ? REBUILT : PLAIN;
  return lives[Math.floor(random() * lives.length)] as Life;
}

/** The options of `getOrSet` for this life. */
export function lifeOptions({ ttlMs, jitter, negativeMs }: Life): GetOrSetOptions<CachedValue | null> {
  return {
    ...(ttlMs > 0 && { ttlSeconds: ttlMs / 1000 }),
    ...(jitter && { ttlJitter: jitter }),
    ...(negativeMs && { negativeTtlSeconds: negativeMs / 1000 }),
  };
}
