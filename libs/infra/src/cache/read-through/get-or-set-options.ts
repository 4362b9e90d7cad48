import { invalidOption } from '../cache.errors.js';
import type {
  BackgroundEvent,
  BuildEvent,
  CacheBucketMetrics,
  Callers,
  CallOptions,
  DeclaredDependencies,
  GetOrSetOptions,
  ReadOutcome,
  SlidingOptions,
  TtlSeconds,
} from '../cache.types.js';
import type { Dependency } from '../dependencies.js';
import {
  FETCH_MS,
  LEASE_MS,
  type Limits,
  MAX_AGE_SECONDS,
  REFRESH_AHEAD,
  STALE_SECONDS,
  TTL_JITTER,
  ttlMs,
  WAIT_MS,
  within,
} from '../protocol/limits.js';

/** A sliding end, which hits move. */
export interface SlidingLife {
  readonly ttlMs: number;
  readonly absoluteMs: number | undefined;
}

/** How long after its end a value may be served as stale, and in which cases. */
export interface StaleWindows {
  readonly whileRevalidateMs: number;
  readonly ifErrorMs: number;
  /**
   * After this time a running fetch counts as failed for a caller that allows stale values; undefined: it never does.
   */
  readonly softTimeoutMs: number | undefined;
}

/**
 * The options of reads, with defaults applied and limits checked: once for a bucket, else in each call that needs them.
 */
export interface ResolvedOptions {
  readonly isResolved: true;
  readonly life: EntryLife;
  readonly sliding: SlidingLife | undefined;
  /** Part of an entry's life after which a hit refreshes it. */
  readonly refreshAhead: number | undefined;
  /**
   * A hit on an entry with more than this many milliseconds left certainly starts no work; Infinity if the options do
   * not give the TTL as a number; undefined: no hit starts any.
   */
  readonly upkeepMs: number | undefined;
  readonly stale: StaleWindows | undefined;
  readonly fetchTimeoutMs: number | undefined;
  /** Named as in a call's options, so that a hit need not know which of the two it received. */
  readonly maxAgeSeconds: number | undefined;
  readonly dependsOn: DeclaredDependencies<unknown>;
  readonly waitMs: number;
  readonly leaseMs: number;
  readonly renewLease: boolean;
  readonly sensitive: boolean;
  readonly callers: Callers | undefined;
  /** Count how callers are answered; undefined: nobody counts them. */
  readonly counts: CacheBucketMetrics | undefined;
  readonly onOutcome: ((outcome: ReadOutcome) => void) | undefined;
  readonly onTooOld: (() => void) | undefined;
  readonly onBuilt: ((event: BuildEvent) => void) | undefined;
  readonly onBackground: ((event: BackgroundEvent, error?: unknown) => void) | undefined;
}

/** The defaults of options that a call does not set. */
export interface ReadDefaults {
  readonly waitMs: number;
  readonly leaseMs: number;
  /** Bounds entries without a TTL of their own, and sliding ends; undefined: nothing bounds them. */
  readonly safetyTtlSeconds: number | undefined;
  /** @default all reads have the same caller */
  readonly callers?: Callers | undefined;
}

/**
 * Applies the defaults; throws `CACHE_INVALID_OPTION` for values outside their limits. Resolved options stay as they
 * are. `counts` count the answers of all reads with these options.
 */
export function resolveGetOrSetOptions<T>(
  given: number | GetOrSetOptions<T> | ResolvedOptions | null | undefined,
  defaults: ReadDefaults,
  counts?: CacheBucketMetrics,
): ResolvedOptions {
  const options = typeof given === 'number' ? { ttlSeconds: given } : (given ?? {});
  if ('isResolved' in options) return options;
  return resolve(options as GetOrSetOptions<unknown>, defaults, counts);
}

function resolve(
  options: GetOrSetOptions<unknown>,
  defaults: ReadDefaults,
  counts: CacheBucketMetrics | undefined,
): ResolvedOptions {
  refuseContradictions(options);
  const sliding = options.sliding && slidingLife(options.sliding, defaults.safetyTtlSeconds);
  const life = entryLife(options, sliding, defaults);
  const refreshAhead = optional('refreshAhead', options.refreshAhead, REFRESH_AHEAD);
  return Object.freeze({
    isResolved: true,
    life,
    sliding,
    refreshAhead,
    upkeepMs: sliding ? sliding.ttlMs / 2 : refreshMs(life, refreshAhead),
    stale: staleWindows(options),
    fetchTimeoutMs: optional('fetchTimeoutMs', options.fetchTimeoutMs, FETCH_MS),
    maxAgeSeconds: optional('maxAgeSeconds', options.maxAgeSeconds, MAX_AGE_SECONDS),
    dependsOn: options.dependsOn ?? [],
    waitMs: within('waitMs', options.waitMs ?? defaults.waitMs, WAIT_MS),
    leaseMs: Math.ceil(within('leaseMs', options.leaseMs ?? defaults.leaseMs, LEASE_MS)),
    renewLease: options.renewLease ?? true,
    sensitive: options.sensitive ?? false,
    callers: defaults.callers,
    counts,
    onOutcome: options.onOutcome,
    onTooOld: options.onTooOld,
    onBuilt: options.onBuilt,
    onBackground: options.onBackground,
  });
}

/** The options of one call, on top of those of its bucket. */
export function withCall<T>(
  resolved: ResolvedOptions,
  { dependsOn, waitMs, maxAgeSeconds, onOutcome }: CallOptions<T>,
): ResolvedOptions {
  return {
    ...resolved,
    ...(dependsOn && { dependsOn: dependsOn as DeclaredDependencies<unknown> }),
    ...(waitMs !== undefined && { waitMs: within('waitMs', waitMs, WAIT_MS) }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds: stricter(resolved, maxAgeSeconds) }),
    ...(onOutcome && { onOutcome }),
  };
}

/** The same options for reads that accept entries up to this age only. */
export function withMaxAge(resolved: ResolvedOptions, maxAgeSeconds: number): ResolvedOptions {
  return Object.freeze({ ...resolved, maxAgeSeconds: stricter(resolved, maxAgeSeconds) });
}

function stricter(resolved: ResolvedOptions, maxAgeSeconds: number): number {
  return Math.min(resolved.maxAgeSeconds ?? Infinity, within('maxAgeSeconds', maxAgeSeconds, MAX_AGE_SECONDS));
}

/** The dependencies that the options name before the fetch. */
export function knownDependencies(options: ResolvedOptions): readonly Dependency[] {
  return typeof options.dependsOn === 'function' ? [] : options.dependsOn;
}

/** How long a copy of an entry is kept after its end, in milliseconds; 0: there is no copy. */
export function staleMs({ stale }: ResolvedOptions): number {
  return stale ? Math.max(stale.whileRevalidateMs, stale.ifErrorMs) : 0;
}

function entryLife(
  { ttlSeconds, negativeTtlSeconds, cacheNull = true, ttlJitter = 0 }: GetOrSetOptions<unknown>,
  sliding: SlidingLife | undefined,
  { safetyTtlSeconds }: ReadDefaults,
): EntryLife {
  if (typeof ttlSeconds === 'number') ttlMs(ttlSeconds); // only checks that it is a TTL
  return {
    ttl: sliding ? Math.min(sliding.ttlMs, sliding.absoluteMs ?? Infinity) / 1000 : ttlSeconds,
    safetyTtlMs: ttlMs(safetyTtlSeconds),
    cacheNull,
    negativeTtlMs: ttlMs(negativeTtlSeconds, 'negativeTtlSeconds'),
    jitter: within('ttlJitter', ttlJitter, TTL_JITTER),
  };
}

function slidingLife({ seconds, absoluteSeconds }: SlidingOptions, safetyTtlSeconds: number | undefined): SlidingLife {
  const bounds = [absoluteSeconds, safetyTtlSeconds].filter((bound) => bound !== undefined);
  const absolute = bounds.length > 0 ? Math.min(...bounds) : undefined;
  return { ttlMs: ttlMs(seconds, 'sliding.seconds') as number, absoluteMs: ttlMs(absolute, 'sliding.absoluteSeconds') };
}

/** Milliseconds before the end of an entry at which it is refreshed. */
function refreshMs({ ttl }: EntryLife, refreshAhead: number | undefined): number | undefined {
  if (refreshAhead === undefined) return undefined;
  return typeof ttl === 'number' ? ttl * 1000 * (1 - refreshAhead) : Infinity;
}

function staleWindows({ stale, softTimeoutMs }: GetOrSetOptions<unknown>): StaleWindows | undefined {
  if (!stale) return undefined;
  const seconds = (name: 'whileRevalidateSeconds' | 'ifErrorSeconds') =>
    within(`stale.${name}`, stale[name] ?? 0, STALE_SECONDS) * 1000;
  return {
    whileRevalidateMs: seconds('whileRevalidateSeconds'),
    ifErrorMs: seconds('ifErrorSeconds'),
    softTimeoutMs: optional('softTimeoutMs', softTimeoutMs, FETCH_MS),
  };
}

function optional(name: string, value: number | undefined, limits: Limits): number | undefined {
  return value === undefined ? undefined : within(name, value, limits);
}

function refuseContradictions(options: GetOrSetOptions<unknown>): void {
  const { sliding, ttlSeconds, refreshAhead, softTimeoutMs, fetchTimeoutMs, stale } = options;
  const problem =
    (sliding && ttlSeconds !== undefined && 'an entry has a TTL or a sliding end, not both: use absoluteSeconds') ||
    (sliding && refreshAhead !== undefined && 'refreshAhead needs an end that hits do not move: use ttlSeconds') ||
    (softTimeoutMs !== undefined &&
      !stale?.ifErrorSeconds &&
      'softTimeoutMs needs stale.ifErrorSeconds: what else to give') ||
    (softTimeoutMs !== undefined &&
      softTimeoutMs >= (fetchTimeoutMs ?? Infinity) &&
      'softTimeoutMs must be below fetchTimeoutMs');
  if (problem) throw invalidOption(problem);
}

/** The options that decide how long a built value is kept; `lifeMs` applies them to one value. */
export interface EntryLife {
  readonly ttl: TtlSeconds<unknown> | undefined;
  /** For values without a TTL of their own; undefined: they have none. */
  readonly safetyTtlMs: number | undefined;
  readonly cacheNull: boolean;
  readonly negativeTtlMs: number | undefined;
  readonly jitter: number;
}

/**
 * Milliseconds that this value lives from the start of its fetch; undefined: it has no TTL; 0: it is not stored. Throws
 * `CACHE_INVALID_OPTION` for an invalid result of a TTL function.
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
  throw invalidOption(text);
}
