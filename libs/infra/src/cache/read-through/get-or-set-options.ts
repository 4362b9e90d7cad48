import type { DeclaredDependencies, GetOrSetOptions, ReadOutcome } from '../cache.types.js';
import type { Dependency } from '../dependencies.js';
import { LEASE_MS, ttlMs, WAIT_MS, within } from '../limits.js';

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

/** Applies the defaults; rejects values outside their limits with `CACHE_INVALID_OPTION`. */
export function resolveGetOrSetOptions<T>(
  given: number | GetOrSetOptions<T> | null | undefined,
  defaults: ReadDefaults,
): ResolvedOptions {
  const options: GetOrSetOptions<T> = typeof given === 'number' ? { ttlSeconds: given } : (given ?? {});
  return {
    ttlMs: ttlMs(options.ttlSeconds ?? defaults.safetyTtlSeconds),
    dependsOn: (options.dependsOn ?? []) as DeclaredDependencies<unknown>,
    cacheNull: options.cacheNull ?? true,
    waitMs: within('waitMs', options.waitMs ?? defaults.waitMs, WAIT_MS),
    leaseMs: Math.ceil(within('leaseMs', options.leaseMs ?? defaults.leaseMs, LEASE_MS)),
    renewLease: options.renewLease ?? true,
    sensitive: options.sensitive ?? false,
    onOutcome: options.onOutcome,
  };
}

/** The dependencies that are known before the fetch. */
export function knownDependencies(options: ResolvedOptions): readonly Dependency[] {
  return typeof options.dependsOn === 'function' ? [] : options.dependsOn;
}
