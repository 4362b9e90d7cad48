import { CacheError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { ReadOutcome } from '@bff/infra/cache/cache.types';
import { entry } from '@bff/infra/cache/dependencies';
import { elapse } from '../../../support/eventually.js';

/** A key that no other part of the checker uses. Its TTL removes it. */
const KEY = 'recovery:probe';
const TTL_SECONDS = 1;
const RETRY_MS = 20;
const INVALIDATIONS = 5;
/** How long to wait until the store serves the process: longer than any self-repair takes on a loaded machine. */
const GIVEN_UP_MS = 40_000;

export interface Recovery {
  readonly afterMs: number;
  readonly invalidationMs: number;
  /** The last reason why the store did not serve it; undefined if it did. */
  readonly hindrance?: string | undefined;
}

/**
 * Measures how long this process takes until a read is answered through the store and an invalidation is acknowledged,
 * and then the fastest of five invalidations: if it waits for a lost connection, each of them is slow.
 */
export async function recovered(cache: CacheService): Promise<Recovery> {
  const beganAt = performance.now();
  const passedMs = () => performance.now() - beganAt;
  let hindrance = await hindranceOf(cache);
  for (; hindrance !== undefined && passedMs() < GIVEN_UP_MS; hindrance = await hindranceOf(cache))
    await elapse(RETRY_MS);
  const afterMs = passedMs();
  let invalidationMs = Infinity;
  if (hindrance !== undefined) return { afterMs, invalidationMs, hindrance };
  for (let i = 0; i < INVALIDATIONS; i++) {
    const askedAt = performance.now();
    if ((await refusalOf(cache)) === undefined) invalidationMs = Math.min(invalidationMs, performance.now() - askedAt);
  }
  return { afterMs, invalidationMs };
}

/** The reason why the store does not serve this process; undefined if it does. */
async function hindranceOf(cache: CacheService): Promise<string | undefined> {
  let outcome: ReadOutcome = 'bypass';
  const onOutcome = (how: ReadOutcome) => (outcome = how);
  await cache.getOrSet(KEY, () => Promise.resolve('here'), { ttlSeconds: TTL_SECONDS, onOutcome });
  if (outcome === 'bypass') return `a read does without the store: ${cache.state().reason ?? 'nobody says why'}`;
  return refusalOf(cache);
}

/** Why an invalidation is not acknowledged; undefined if it is. */
async function refusalOf(cache: CacheService): Promise<string | undefined> {
  try {
    await cache.invalidate(entry(KEY));
    return undefined;
  } catch (error) {
    if (error instanceof CacheError && error.code === 'CACHE_NOT_ACKNOWLEDGED') return error.message;
    throw error;
  }
}
