import { describe, expect, it } from '@jest/globals';
import type { GetOrSetOptions } from '../cache.types.js';
import { resolveGetOrSetOptions, staleMs, withCall, withMaxAge } from './get-or-set-options.js';

const DEFAULTS = { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined };
const resolve = (options: GetOrSetOptions<unknown> | number | undefined, defaults = DEFAULTS) =>
  resolveGetOrSetOptions(options, defaults);

describe('the options of a read', () => {
  it('have the cache`s defaults where nothing was said', () => {
    expect(resolve(undefined)).toMatchObject({
      life: { ttl: undefined, cacheNull: true, jitter: 0 },
      waitMs: 30_000,
      leaseMs: 10_000,
      renewLease: true,
      sensitive: false,
      dependsOn: [],
      stale: undefined,
    });
    expect(resolve(90).life.ttl).toBe(90);
  });

  it('are resolved once: what is resolved stays as it is, and is frozen', () => {
    const once = resolve({ ttlSeconds: 5 });
    expect(resolveGetOrSetOptions(once, DEFAULTS)).toBe(once);
    expect(Object.isFrozen(once)).toBe(true);
  });

  it('a call overrides what concerns the call', () => {
    const bucket = resolve({ ttlSeconds: 5, waitMs: 100, onOutcome: () => undefined });
    const onOutcome = () => undefined;
    expect(withCall(bucket, { waitMs: 7, onOutcome })).toMatchObject({ life: bucket.life, waitMs: 7, onOutcome });
    expect(withCall(bucket, {})).toEqual(bucket);
    expect(() => withCall(bucket, { waitMs: -1 })).toThrow(/waitMs/);
  });

  it('apply the stricter of two bounds on the age, wherever it was set', () => {
    const bucket = resolve({ maxAgeSeconds: 60 });
    expect(withCall(bucket, { maxAgeSeconds: 5 }).maxAgeSeconds).toBe(5);
    expect(withCall(bucket, { maxAgeSeconds: 600 }).maxAgeSeconds).toBe(60);
    expect(withCall(bucket, {}).maxAgeSeconds).toBe(60);
    expect(withMaxAge(resolve({}), 7).maxAgeSeconds).toBe(7);
    expect(withMaxAge(resolve({ maxAgeSeconds: 3 }), 7).maxAgeSeconds).toBe(3);
    expect(() => withCall(bucket, { maxAgeSeconds: NaN })).toThrow(/maxAgeSeconds/);
  });

  it('a sliding end lies within the absolute one and the safety TTL', () => {
    const sliding = (seconds: number, absoluteSeconds?: number) =>
      ({ sliding: { seconds, ...(absoluteSeconds !== undefined && { absoluteSeconds }) } }) as const;
    expect(resolve(sliding(60, 300))).toMatchObject({
      life: { ttl: 60 },
      sliding: { ttlMs: 60_000, absoluteMs: 300_000 },
    });
    expect(resolve(sliding(60)).sliding).toEqual({ ttlMs: 60_000, absoluteMs: undefined });
    const safe = resolve(sliding(60, 300), { ...DEFAULTS, safetyTtlSeconds: 20 } as never);
    expect(safe).toMatchObject({ life: { ttl: 20 }, sliding: { absoluteMs: 20_000 } });
  });

  it('a stale copy is kept for the longer of the two windows', () => {
    expect(staleMs(resolve({ stale: { whileRevalidateSeconds: 30, ifErrorSeconds: 600 } }))).toBe(600_000);
    expect(staleMs(resolve({ stale: { whileRevalidateSeconds: 30 } }))).toBe(30_000);
    expect(staleMs(resolve({}))).toBe(0);
  });

  it.each<[string, GetOrSetOptions<unknown>]>([
    ['ttlSeconds', { ttlSeconds: 0 }],
    ['ttlSeconds', { ttlSeconds: Infinity }],
    ['negativeTtlSeconds', { negativeTtlSeconds: 0 }],
    ['ttlJitter', { ttlJitter: 0.6 }],
    ['ttlJitter', { ttlJitter: NaN }],
    ['refreshAhead', { ttlSeconds: 5, refreshAhead: 1 }],
    ['refreshAhead', { ttlSeconds: 5, refreshAhead: 0 }],
    ['fetchTimeoutMs', { fetchTimeoutMs: 0 }],
    ['fetchTimeoutMs', { fetchTimeoutMs: 300_001 }],
    ['softTimeoutMs', { softTimeoutMs: 100 }],
    ['softTimeoutMs', { softTimeoutMs: 100, stale: { ifErrorSeconds: 5 }, fetchTimeoutMs: 100 }],
    ['stale.ifErrorSeconds', { stale: { ifErrorSeconds: -1 } }],
    ['sliding', { sliding: { seconds: 5 }, ttlSeconds: 5 }],
    ['sliding.seconds', { sliding: { seconds: 0 } }],
    ['refreshAhead', { sliding: { seconds: 5 }, refreshAhead: 0.5 }],
    ['maxAgeSeconds', { maxAgeSeconds: -1 }],
    ['maxAgeSeconds', { maxAgeSeconds: NaN }],
    ['maxAgeSeconds', { maxAgeSeconds: Infinity }],
    ['waitMs', { waitMs: 600_001 }],
    ['leaseMs', { leaseMs: 1 }],
  ])('refuses a bad %s: %j', (name, options) => {
    expect(() => resolve(options)).toThrow(
      expect.objectContaining({ code: 'CACHE_INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });
});
