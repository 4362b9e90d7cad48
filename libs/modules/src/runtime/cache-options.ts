import { randomBytes } from 'node:crypto';
import type { CacheOptions } from '@bff/infra/cache/create-cache';
import { accountOf, currentCaller, runForCaller, type Caller } from '@bff/infra/callers/caller';
import type { Fleet } from '@bff/infra/fleet/create-fleet';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { changeDrivenMaxAgeSeconds } from '../change-events/max-age.js';
import type { AppConfig } from '../config/app-config.js';

/**
 * The cache that the configuration describes. Sensitive values are encrypted in the embedded store too; without a
 * configured key they are encrypted with a random one, which ends with the process like that store.
 */
export function cacheOptions(
  { app, cache, events }: AppConfig,
  redis: RedisClient | null,
  { leases, reports }: Pick<Fleet, 'leases' | 'reports'>,
): CacheOptions {
  const configured = cache.encryptionKeys.map(({ id, base64 }) => ({ id, secret: Buffer.from(base64, 'base64') }));
  const safetyTtlSeconds = changeDrivenMaxAgeSeconds({ events, cache });
  return {
    redis,
    appName: app.name,
    partitions: cache.partitions,
    onSplit: cache.onSplit,
    l1: { mode: cache.l1, shouldFreeze: app.environment !== 'production' },
    shouldRefuseUnplainValues: app.environment !== 'production',
    safetyTtlSeconds,
    feedAges: leases,
    reports,
    // Also applies without events: entries stored while events were on have no TTL.
    feedLostMaxAgeSeconds: events.enabled ? cache.feedLostMaxAgeSeconds : safetyTtlSeconds,
    retentionDays: cache.retentionDays,
    memoryMaxBytes: cache.memoryMaxBytes,
    encryptionKeys: configured.length > 0 ? configured : [{ id: 'process', secret: randomBytes(32) }],
    callers: {
      current: currentCaller,
      run: (caller, work) => runForCaller(caller as Caller | undefined, work),
      groupOf: (caller) => accountOf(caller as Caller | undefined),
    },
    leaseMs: cache.leaseMs,
    waitMs: cache.waitMs,
    bypassConcurrency: cache.bypassConcurrency,
  };
}
