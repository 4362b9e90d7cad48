import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Redis } from 'ioredis';

interface Listener {
  readonly redis: Redis;
}

interface Connections {
  /** The cache's only listener, if it uses one server or the primary that Sentinels name. */
  readonly listener?: Listener;
  /** The listeners by the address of their node, if the cache uses a Cluster. */
  readonly nodes?: ReadonlyMap<string, { readonly listener: Listener }>;
}

interface Inside {
  readonly store: { readonly parts: { readonly bus: { readonly connections: Connections } } };
}

/**
 * The connections on which this cache receives the bus now: one, or in a Cluster one for each node that owns a
 * partition. The store keeps them private; only tests need to pause or break them.
 */
export function busSubscribers(cache: CacheService): Redis[] {
  const { listener, nodes } = (cache as unknown as Inside).store.parts.bus.connections;
  const listeners = listener ? [listener] : [...(nodes?.values() ?? [])].map((node) => node.listener);
  if (listeners.length === 0) throw new Error('this cache listens nowhere: it is not open, or has no Redis');
  return listeners.map(({ redis }) => redis);
}
