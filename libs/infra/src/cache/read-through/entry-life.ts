import { CacheError } from '../cache.errors.js';
import type { TtlSeconds } from '../cache.types.js';
import { ttlMs } from '../protocol/limits.js';

/** How long built values are kept, before the value itself is known. */
export interface EntryLife {
  readonly ttl: TtlSeconds<unknown> | undefined;
  /** For values without a TTL of their own; undefined: they are kept until invalidated. */
  readonly safetyTtlMs: number | undefined;
  readonly cacheNull: boolean;
  readonly negativeTtlMs: number | undefined;
  readonly jitter: number;
}

/**
 * Milliseconds that this value lives from the start of its fetch; undefined: until it is invalidated; 0: it is not
 * stored. Throws `CACHE_INVALID_OPTION` for an invalid result of a TTL function.
 */
export function lifeMs(life: EntryLife, value: unknown): number | undefined {
  if (value === undefined || (value === null && !life.cacheNull)) return 0;
  const ms = value === null ? nullMs(life) : valueMs(life, value);
  if (ms === undefined || ms === 0 || life.jitter === 0) return ms;
  return Math.ceil(ms * (1 - Math.random() * life.jitter));
}

function nullMs(life: EntryLife): number | undefined {
  const { negativeTtlMs, ttl } = life;
  if (negativeTtlMs === undefined) return valueMs(life, null);
  if (typeof ttl === 'function') return negativeTtlMs;
  return Math.min(negativeTtlMs, valueMs(life, null) ?? Infinity);
}

function valueMs({ ttl, safetyTtlMs }: EntryLife, value: unknown): number | undefined {
  const seconds = typeof ttl === 'function' ? ttl(value) : ttl;
  if (seconds === undefined) return safetyTtlMs;
  if (typeof seconds === 'number' && seconds <= 0) return 0;
  if (Number.isFinite(seconds)) return ttlMs(seconds);
  const text = `a TTL function must return a finite number of seconds or undefined, not ${String(seconds)}`;
  throw new CacheError('CACHE_INVALID_OPTION', text, false);
}
