import { CacheError } from '../cache.errors.js';
import type { DeclaredDependencies, GetOrSetOptions, ReadOutcome } from '../cache.types.js';
import type { Dependency } from '../dependencies.js';

/** The options of one read with defaults applied and limits checked. */
export interface ResolvedOptions {
  readonly ttlMs: number | undefined;
  readonly dependsOn: DeclaredDependencies<unknown>;
  readonly cacheNull: boolean;
  readonly waitMs: number;
  readonly leaseMs: number;
  readonly renewLease: boolean;
  readonly sensitive: boolean;
  readonly onOutcome: ((outcome: ReadOutcome) => void) | undefined;
}

/** What applies where a call names nothing itself. */
export interface ReadDefaults {
  readonly waitMs: number;
  readonly leaseMs: number;
  /** Bounds entries that have no TTL of their own; undefined: they are kept until invalidated. */
  readonly safetyTtlSeconds: number | undefined;
}

/** Ten minutes: longer than any fetch that a page waits for; nothing can be set to wait without end. */
const WAIT_MS_MAX = 600_000;
const LEASE_MS_MIN = 10;

/** Applies the defaults; rejects values outside their limits with `CACHE_INVALID_OPTION`. */
export function resolveGetOrSetOptions<T>(
  given: number | GetOrSetOptions<T> | undefined,
  defaults: ReadDefaults,
): ResolvedOptions {
  const options: GetOrSetOptions<T> = typeof given === 'number' ? { ttlSeconds: given } : (given ?? {});
  return {
    ttlMs: ttlMs(options.ttlSeconds ?? defaults.safetyTtlSeconds),
    dependsOn: (options.dependsOn ?? []) as DeclaredDependencies<unknown>,
    cacheNull: options.cacheNull ?? true,
    waitMs: within('waitMs', options.waitMs ?? defaults.waitMs, 0, WAIT_MS_MAX),
    leaseMs: within('leaseMs', options.leaseMs ?? defaults.leaseMs, LEASE_MS_MIN, WAIT_MS_MAX),
    renewLease: options.renewLease ?? true,
    sensitive: options.sensitive ?? false,
    onOutcome: options.onOutcome,
  };
}

/** Milliseconds of a TTL given in seconds; undefined stays undefined: no TTL. */
export function ttlMs(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (Number.isFinite(seconds) && seconds > 0) return Math.ceil(seconds * 1000);
  throw new CacheError(
    'CACHE_INVALID_OPTION',
    `ttlSeconds must be a positive number, not ${seconds}; leave it out for none`,
    false,
  );
}

/** The number itself if it lies within its limits; else `CACHE_INVALID_OPTION`. */
export function within(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new CacheError('CACHE_INVALID_OPTION', `${name} must be between ${min} and ${max}, not ${value}`, false);
}

/** The dependencies that are known before the fetch. */
export function knownDependencies(options: ResolvedOptions): readonly Dependency[] {
  return typeof options.dependsOn === 'function' ? [] : options.dependsOn;
}
