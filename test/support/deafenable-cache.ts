import type { Socket } from 'node:net';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { busSubscribers } from './bus-subscribers.js';

/** A process' cache with a strict L1. Deafened, it holds its leases, reads and invalidates as before, but the bus tells it nothing. */
export interface DeafenableCache {
  readonly cache: CacheService;
  deafen(): void;
  close(): Promise<void>;
}

export async function openDeafenableCache(redisUrl: string, appName: string): Promise<DeafenableCache> {
  const cache = createCache({ redisUrl, appName, commandTimeoutMs: 5000, l1: 'strict', shouldFreezeLocalValues: true });
  await cache.open();
  // The only way to hold up one process' messages, and nothing else of it, is at its socket.
  const [subscriber] = busSubscribers(cache);
  const { stream } = subscriber as unknown as { readonly stream: Socket };
  return {
    cache,
    deafen: () => void stream.pause(),
    close: async () => {
      stream.resume(); // a held-up socket never ends, and the process of the test with it
      await cache.close();
    },
  };
}
