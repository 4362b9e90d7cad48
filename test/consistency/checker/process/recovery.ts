import { CacheError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { ReadOutcome } from '@bff/infra/cache/cache.types';
import { entry } from '@bff/infra/cache/dependencies';
import { elapse } from '../../../support/eventually.js';

/** A key of nobody's: it has a TTL, so that nothing of it is left. */
const KEY = 'recovery:probe';
const TTL_SECONDS = 1;
const RETRY_MS = 20;
const INVALIDATIONS = 5;

/**
 * How long it takes until this process is served by the store: an invalidation is acknowledged, and a read is answered through
 * it. And what an invalidation takes then, at best: one that waits for a connection that is gone takes long each time.
 */
export async function recovered(cache: CacheService): Promise<{ afterMs: number; invalidationMs: number }> {
  const beganAt = performance.now();
  while (!(await isServed(cache))) await elapse(RETRY_MS);
  const afterMs = performance.now() - beganAt;
  let invalidationMs = Infinity;
  for (let i = 0; i < INVALIDATIONS; i++) {
    const askedAt = performance.now();
    if (await isAcknowledged(cache)) invalidationMs = Math.min(invalidationMs, performance.now() - askedAt);
  }
  return { afterMs, invalidationMs };
}

async function isServed(cache: CacheService): Promise<boolean> {
  let outcome: ReadOutcome = 'bypass';
  const onOutcome = (how: ReadOutcome) => (outcome = how);
  await cache.getOrSet(KEY, () => Promise.resolve('here'), { ttlSeconds: TTL_SECONDS, onOutcome });
  return outcome !== 'bypass' && (await isAcknowledged(cache));
}

async function isAcknowledged(cache: CacheService): Promise<boolean> {
  try {
    await cache.invalidate(entry(KEY));
    return true;
  } catch (error) {
    if (error instanceof CacheError && error.code === 'CACHE_NOT_ACKNOWLEDGED') return false;
    throw error;
  }
}
