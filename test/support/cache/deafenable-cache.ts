import type { Socket } from 'node:net';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { busSubscribers } from '../redis/bus-subscribers.js';

/**
 * A cache with a strict L1, which a test uses as if it were in a process of its own. Once deafened it keeps its leases,
 * reads and invalidates, but receives nothing from the bus.
 */
export interface DeafenableCache {
  readonly cache: CacheService;
  deafen(): void;
  close(): Promise<void>;
}

export async function openDeafenableCache(redisUrl: string, appName: string): Promise<DeafenableCache> {
  const cache = createCache({ redisUrl, appName, commandTimeoutMs: 5000, l1: { shouldFreeze: true } });
  await cache.open();
  // Pausing the socket is the only way to hold up this cache's messages and nothing else.
  const [subscriber] = busSubscribers(cache);
  const { stream } = subscriber as unknown as { readonly stream: Socket };
  return {
    cache,
    deafen: () => void stream.pause(),
    close: async () => {
      stream.resume(); // a paused socket never ends, and keeps the test process alive
      await cache.close();
    },
  };
}
